// The guard: what the API server itself says to a pod that asks for a sidecar and arrives without it.

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/chart_objects.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/running_webhook.hpp"
#include "tests/kubernetes/sample_pods.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const std::string kDenied =
    "ValidatingAdmissionPolicy 'cloudvalkey-guard' with binding 'cloudvalkey-guard' denied request: "
    "inject.cloudvalkey.dev: cloud-valkey-proxy: ";

class Guard : public testing::Test {
protected:
    static void SetUpTestSuite() {
        ensure_release_namespace();
        name_space = make_fresh_namespace("guard");
        samples = make_sample_pods(name_space);
        ApiSession api;
        // What nobody has to do with us becomes, and what the webhook made, without the guard.
        for (const auto& [name, pod] : samples)
            before[name] = without_chance(dry_run(api, ask_webhook(pod).pod));
        guard.emplace(std::vector<std::string>{"guard.yaml"});
        ASSERT_TRUE(eventually([&] { return !is_admitted(dry_run(api, asking_pod())); }));
    }
    static void TearDownTestSuite() {
        guard.reset();
        ApiSession api;
        EXPECT_TRUE(eventually([&] { return is_admitted(dry_run(api, asking_pod())); }));
        samples.clear();
        before.clear();
    }

    static json asking_pod() { return find("one-connection"); }
    static json find(const std::string& name) {
        const auto is = [&](const SamplePod& sample) { return sample.name == name; };
        return std::find_if(samples.begin(), samples.end(), is)->pod;
    }
    static json dry_run(ApiSession& api, json pod, const std::string& where = name_space) {
        pod["metadata"]["namespace"] = where;
        return api.create(pods_of(where) + "?dryRun=All", pod);
    }
    json dry_run(const json& pod) { return dry_run(api, pod); }
    /// Whether it is sent with a sidecar and our label: it was injected before, by another release perhaps.
    static bool carries_sidecar(const json& pod) {
        if (!pod["metadata"].value("labels", json::object()).contains("cloudvalkey.dev/injected")) return false;
        for (const auto& container : pod["spec"].value("initContainers", json::array())) {
            if (container["name"] == "cloud-valkey-proxy") return container.value("restartPolicy", "") == "Always";
        }
        return false;
    }
    static bool is_admitted(const json& answer) { return answer["kind"] == "Pod"; }
    static std::string message_of(const json& answer) { return answer.value("message", answer.dump()); }

    ApiSession api;
    static inline std::string name_space;
    static inline std::vector<SamplePod> samples;
    static inline std::map<std::string, json> before;
    static inline std::optional<ChartObjects> guard;
};

TEST_F(Guard, agrees_with_the_webhook_on_every_pod) {
    std::map<std::string, int> seen;
    for (const auto& [name, pod] : samples) {
        const auto outcome = ask_webhook(pod);
        ++seen[outcome.result];
        const auto bare = dry_run(pod);
        if (before[name]["kind"] == "Status") {
            EXPECT_EQ(bare, before[name]) << name << ": no API server would take it";
        } else if (outcome.result == "refused") {
            EXPECT_THAT(message_of(bare), HasSubstr(kDenied + outcome.reason + ": ")) << name;
        } else if (outcome.result == "injected") {
            if (!carries_sidecar(pod)) {
                EXPECT_THAT(message_of(bare), HasSubstr(kDenied + "NotInjected: ")) << name;
            }
            EXPECT_EQ(without_chance(dry_run(outcome.pod)), before[name]) << name << ": it is as the webhook made it";
        } else {
            EXPECT_EQ(without_chance(bare), before[name]) << name;
        }
    }
    EXPECT_GE(seen["refused"], 30);
    EXPECT_GE(seen["injected"], 20);
    EXPECT_GE(seen["untouched"], 2);
}

TEST_F(Guard, says_what_happened_and_what_to_do) {
    const auto answer = dry_run(asking_pod());
    EXPECT_EQ(answer["code"], 403);
    EXPECT_EQ(answer["reason"], "Forbidden");
    EXPECT_THAT(message_of(answer),
                AllOf(HasSubstr("this pod asks for \"sessions\" and has no sidecar"),
                      HasSubstr("MutatingWebhookConfiguration cloud-valkey-operator"), HasSubstr("or remove it")));
    EXPECT_THAT(message_of(dry_run(find("host-network"))),
                AllOf(HasSubstr(kDenied + "HostNetwork: "), HasSubstr("remove spec.hostNetwork or the annotation")));
    EXPECT_THAT(message_of(dry_run(find("windows"))), HasSubstr(kDenied + "Windows: "));
}

TEST_F(Guard, lets_through_what_the_running_webhook_injects) {
    const RunningWebhook webhook;
    ASSERT_TRUE(eventually([&] { return is_admitted(dry_run(asking_pod())); }));
    EXPECT_TRUE(dry_run(asking_pod())["spec"].contains("initContainers"));
    EXPECT_THAT(message_of(dry_run(find("windows"))), HasSubstr("admission webhook \"inject.cloudvalkey.dev\" denied"))
        << "the webhook speaks first";
}

TEST_F(Guard, sees_through_half_a_sidecar) {
    const auto injected = ask_webhook(asking_pod()).pod;
    ASSERT_TRUE(is_admitted(dry_run(injected)));
    auto pod = injected;
    pod["metadata"]["labels"].erase("cloudvalkey.dev/injected");
    EXPECT_THAT(message_of(dry_run(pod)), HasSubstr("NotInjected"));
    pod = injected;
    pod["metadata"]["labels"]["cloudvalkey.dev/injected"] = "false";
    EXPECT_THAT(message_of(dry_run(pod)), HasSubstr("NotInjected"));
    pod = injected;
    pod["spec"]["initContainers"][0].erase("restartPolicy");
    pod["spec"]["initContainers"][0].erase("startupProbe");  // only a sidecar may have one
    EXPECT_THAT(message_of(dry_run(pod)), HasSubstr("NotInjected"));
    pod = injected;
    pod["spec"]["initContainers"][0]["name"] = "proxy";
    pod["spec"]["initContainers"][0].erase("ports");
    EXPECT_THAT(message_of(dry_run(pod)), HasSubstr("NotInjected"));
}

TEST_F(Guard, tells_the_owner_of_a_refused_deployment_why) {
    const auto made = control_plane().kubectl({"create", "--namespace=" + name_space, "--filename=-"},
                                              R"({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "bare"}, "spec": {"selector": {"matchLabels": {"app": "bare"}}, "template": {"metadata":
        {"labels": {"app": "bare"}, "annotations": {"cloudvalkey.dev/connections": "sessions"}},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})");
    ASSERT_TRUE(made) << made.error().context;
    const auto waited = control_plane().kubectl(
        {"wait", "--for=condition=ReplicaFailure", "deployment/bare", "--namespace=" + name_space, "--timeout=20s"});
    ASSERT_TRUE(waited) << waited.error().context;
    const auto why = control_plane().kubectl({"get", "deployment", "bare", "--namespace=" + name_space,
                                              "--output=jsonpath={.status.conditions[?(@.type=='ReplicaFailure')]}"});
    EXPECT_THAT(why.value_or(""), HasSubstr("NotInjected: this pod asks for"));
}

TEST_F(Guard, passes_over_mirror_pods_and_other_namespaces) {
    EXPECT_TRUE(is_admitted(dry_run(find("mirror-pod-on-a-node"))));
    for (const auto* where : {"kube-system", "kube-node-lease", "cloud-valkey"})
        EXPECT_TRUE(is_admitted(dry_run(api, asking_pod(), where))) << where;
}

TEST_F(Guard, leaves_pods_that_run_to_their_owners) {
    auto pod = find("not-annotated");
    pod["metadata"]["name"] = "runs";
    ASSERT_TRUE(is_admitted(api.create(pods_of(name_space), pod)));
    const auto path = pods_of(name_space) + "/runs";
    const auto annotated = api.send("PATCH", path, R"({"metadata": {"annotations": {
        "cloudvalkey.dev/connections": "sessions"}}})",
                                    "application/merge-patch+json");
    EXPECT_EQ(annotated.status, 200U) << annotated.body;
    const auto debugged = api.send("PATCH", path + "/ephemeralcontainers", R"({"spec": {"ephemeralContainers": [
        {"name": "debug", "image": "debug:1"}]}})",
                                   "application/strategic-merge-patch+json");
    EXPECT_EQ(debugged.status, 200U) << debugged.body;
}

TEST_F(Guard, makes_sense_to_the_type_checker) {
    const std::string path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/cloudvalkey-guard";
    ASSERT_TRUE(eventually([&] { return api.get(path).contains("status"); }));
    const auto policy = api.get(path);
    EXPECT_EQ(policy["status"]["observedGeneration"], policy["metadata"]["generation"]);
    EXPECT_FALSE(policy["status"]["typeChecking"].contains("expressionWarnings")) << policy["status"];
}

TEST_F(Guard, keeps_to_the_listed_namespaces) {
    const auto other = make_fresh_namespace("guard");
    ASSERT_FALSE(is_admitted(dry_run(api, asking_pod(), other)));
    {
        const ChartObjects listed({"guard.yaml"}, {"--set", "watchNamespaces={" + name_space + "}"});
        EXPECT_TRUE(eventually([&] { return is_admitted(dry_run(api, asking_pod(), other)); }));
        EXPECT_FALSE(is_admitted(dry_run(asking_pod())));
    }
    guard.emplace(std::vector<std::string>{"guard.yaml"});
    EXPECT_TRUE(eventually([&] { return !is_admitted(dry_run(api, asking_pod(), other)); }));
}

}  // namespace
}  // namespace cvp::test
