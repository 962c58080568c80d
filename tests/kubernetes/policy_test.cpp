// Injection by policy: the API server does to a pod what the webhook would have done.

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/chart_objects.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/sample_pods.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kDenied =
    "ValidatingAdmissionPolicy 'cloudvalkey-guard' with binding 'cloudvalkey-guard' denied request: "
    "inject.cloudvalkey.dev: cloud-valkey-proxy: ";

class Policy : public testing::Test {
protected:
    static void SetUpTestSuite() {
        ApiSession api;
        if (!has_mutating_policies(api)) return;
        ensure_release_namespace();
        name_space = make_fresh_namespace("policy");
        samples = make_sample_pods(name_space);
        for (const auto& [name, pod] : samples) {
            auto& expected = by_webhook[name];
            expected = ask_webhook(as_webhooks_see(api, pod), {"registry-login"});
            expected.pod = comparable(dry_run(api, expected.pod));
        }
        policies.emplace(
            std::vector<std::string>{"policy.yaml", "guard.yaml"},
            std::vector<std::string>{"--set", "injection.mode=Policy,injection.imagePullSecrets={registry-login}"});
        ASSERT_TRUE(eventually([&] { return is_injected(dry_run(api, find("one-connection"))); }));
        ASSERT_TRUE(eventually([&] { return !is_admitted(dry_run(api, find("windows"))); }));
    }
    void SetUp() override {
        if (!policies) GTEST_SKIP() << "this API server has no MutatingAdmissionPolicy";
    }
    static void TearDownTestSuite() {
        if (!policies) return;
        policies.reset();
        ApiSession api;
        EXPECT_TRUE(eventually([&] {
            const auto answer = dry_run(api, find("one-connection"));
            return is_admitted(answer) && !is_injected(answer);
        }));
        samples.clear();
        by_webhook.clear();
    }

    static json find(const std::string& name) {
        const auto is = [&](const SamplePod& sample) { return sample.name == name; };
        return std::find_if(samples.begin(), samples.end(), is)->pod;
    }
    static json dry_run(ApiSession& api, const json& pod) {
        return api.create(pods_of(pod["metadata"]["namespace"].get<std::string>()) + "?dryRun=All", pod);
    }
    json dry_run(const json& pod) { return dry_run(api, pod); }
    static bool is_admitted(const json& answer) { return answer["kind"] == "Pod"; }
    static bool is_injected(const json& answer) {
        return is_admitted(answer) &&
               answer["metadata"].value("labels", json::object()).contains("cloudvalkey.dev/injected");
    }

    /// What the two ways may differ in: who wrote which field, and the mode in the status.
    static json comparable(json answer) {
        answer = without_chance(std::move(answer));
        if (!is_admitted(answer)) return answer;
        answer["metadata"].erase("managedFields");
        auto& annotations = answer["metadata"]["annotations"];
        if (annotations.is_object() && annotations.contains("cloudvalkey.dev/status")) {
            auto status = json::parse(annotations["cloudvalkey.dev/status"].get<std::string>());
            status.erase("mode");
            annotations["cloudvalkey.dev/status"] = status;
        }
        return answer;
    }

    ApiSession api;
    static inline std::string name_space;
    static inline std::vector<SamplePod> samples;
    static inline std::map<std::string, WebhookOutcome> by_webhook;  ///< pod: what the API server stores then
    static inline std::optional<ChartObjects> policies;
};

TEST_F(Policy, does_to_every_pod_what_the_webhook_does) {
    std::map<std::string, int> seen;
    for (const auto& [name, pod] : samples) {
        const auto& expected = by_webhook[name];
        ++seen[expected.result];
        const auto answer = dry_run(pod);
        if (expected.result == "refused" && is_admitted(expected.pod)) {
            EXPECT_THAT(answer.value("message", answer.dump()), HasSubstr(kDenied + expected.reason + ": ")) << name;
            continue;
        }
        const auto stored = comparable(answer);
        EXPECT_EQ(stored, expected.pod) << name << ": " << json::diff(expected.pod, stored).dump(1);
        EXPECT_EQ(is_injected(answer), expected.result == "injected" || expected.reason == "AlreadyInjected") << name;
    }
    EXPECT_GE(seen["refused"], 30);
    EXPECT_GE(seen["injected"], 20);
    EXPECT_GE(seen["untouched"], 2);
}

TEST_F(Policy, stamps_its_mode) {
    const auto answer = dry_run(find("several-connections"));
    ASSERT_TRUE(is_injected(answer)) << answer;
    const auto status = json::parse(answer["metadata"]["annotations"]["cloudvalkey.dev/status"].get<std::string>());
    EXPECT_EQ(status["mode"], "Policy");
}

TEST_F(Policy, adds_nothing_to_what_it_has_injected) {
    for (const auto& [name, pod] : samples) {
        if (by_webhook[name].result != "injected") continue;
        auto once = dry_run(pod);
        ASSERT_TRUE(is_injected(once)) << name << once;
        const auto expected = comparable(once);
        once.erase("status");
        for (const auto* key : {"uid", "creationTimestamp", "managedFields"})
            once["metadata"].erase(key);
        EXPECT_EQ(comparable(dry_run(once)), expected) << name;
    }
}

TEST_F(Policy, passes_pod_security_restricted) {
    ASSERT_TRUE(control_plane().kubectl(
        {"label", "--overwrite", "namespace", name_space, "pod-security.kubernetes.io/enforce=restricted"}));
    auto pod = find("one-connection");
    EXPECT_THAT(dry_run(pod).value("message", ""), HasSubstr("PodSecurity"));
    pod["spec"]["containers"][0]["securityContext"] = json::parse(R"({"runAsNonRoot": true,
        "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"}})");
    EXPECT_TRUE(eventually([&] { return is_injected(dry_run(pod)); })) << dry_run(pod);
    ASSERT_TRUE(control_plane().kubectl({"label", "namespace", name_space, "pod-security.kubernetes.io/enforce-"}));
}

TEST_F(Policy, copes_with_a_pod_as_large_as_they_come) {
    auto pod = find("eight-connections");
    pod["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    const auto app = pod["spec"]["containers"][0];
    for (int i = 0; i < 10; ++i) {
        auto container = app;
        container["name"] = "app-" + std::to_string(i);
        for (int k = 0; k < 100; ++k)
            container["env"].push_back({{"name", "V" + std::to_string(k)}, {"value", "x"}});
        pod["spec"]["containers"].push_back(container);
    }
    EXPECT_TRUE(is_injected(dry_run(pod))) << dry_run(pod).value("message", "");
}

TEST_F(Policy, leaves_what_it_does_not_match) {
    auto pod = find("one-connection");
    for (const auto* where : {"kube-system", "kube-node-lease", "cloud-valkey"}) {
        pod["metadata"]["namespace"] = where;
        const auto answer = dry_run(pod);
        EXPECT_TRUE(is_admitted(answer) && !is_injected(answer)) << where << answer;
    }
    auto running = find("not-annotated");
    running["metadata"]["name"] = "runs";
    ASSERT_TRUE(is_admitted(api.create(pods_of(name_space), running)));
    const auto patched = api.send("PATCH", pods_of(name_space) + "/runs", R"({"metadata": {"annotations": {
        "cloudvalkey.dev/connections": "sessions"}}})",
                                  "application/merge-patch+json");
    EXPECT_EQ(patched.status, 200U) << patched.body;
    EXPECT_FALSE(is_injected(json::parse(patched.body)));
}

TEST(PolicyMode, is_refused_by_the_chart_where_the_api_server_is_too_old) {
    ApiSession api;
    if (has_mutating_policies(api)) GTEST_SKIP() << "this API server is new enough";
    const auto name_space = make_fresh_namespace("policy");
    try {
        run_helm_on_cluster({"install", "product", source_path("charts/cloud-valkey-proxy"),
                             "--namespace=" + name_space, "--set=crds.enabled=false,injection.mode=Policy"});
        FAIL() << "it was installed";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("injection.mode Policy needs Kubernetes 1.36 or later"));
    }
}

}  // namespace
}  // namespace cvp::test
