// What else an API server does to injected pods: quotas, limits, quality of service, meshes, kubectl apply, warnings.

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/running_webhook.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A pod whose containers have these resources.
json make_pod(const json& resources = json::object()) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "shop"}, {"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}, {"resources", resources}}})}}}};
}

/// The remedy for every policy on resources: the pod declares the sidecar with its own.
json with_declared_sidecar(json pod, const json& resources) {
    pod["spec"]["initContainers"] = json::array({{{"name", "cloud-valkey-proxy"}, {"resources", resources}}});
    return pod;
}

json limits_equal_to_requests(const std::string& cpu, const std::string& memory) {
    const json amounts = {{"cpu", cpu}, {"memory", memory}};
    return {{"requests", amounts}, {"limits", amounts}};
}

json sidecar_of(const json& pod) {
    for (const auto& container : pod.value("spec", json::object()).value("initContainers", json::array())) {
        if (container["name"] == "cloud-valkey-proxy") return container;
    }
    return nullptr;
}

class InjectedPods : public testing::Test {
protected:
    static void SetUpTestSuite() { webhook = std::make_unique<RunningWebhook>(); }
    static void TearDownTestSuite() { webhook.reset(); }

    json create(const json& pod) { return api.create(pods_of(name_space), pod); }

    /// Makes a LimitRange or ResourceQuota.
    void make_policy(const std::string& collection, const json& spec) {
        const auto made = api.create("/api/v1/namespaces/" + name_space + "/" + collection,
                                     {{"metadata", {{"name", "policy"}}}, {"spec", spec}});
        ASSERT_EQ(made.value("code", 0), 0) << made;
    }

    /// The admission plugins see a policy by their watch: waits until an un-annotated pod meets it.
    void await_refusal(const std::string& text, const json& resources = json::object()) {
        auto plain = make_pod(resources);
        plain["metadata"].erase("annotations");
        ASSERT_TRUE(eventually([&] {
            return api.create(pods_of(name_space) + "?dryRun=All", plain).dump().find(text) != std::string::npos;
        }));
    }

    std::string kubectl_apply(const json& pod, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"apply", "--namespace=" + name_space, "--filename=-"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto applied = control_plane().kubectl(arguments, pod.dump());
        return applied ? *applied : applied.error().context;
    }

    static inline std::unique_ptr<RunningWebhook> webhook;
    const std::string name_space = make_fresh_namespace("injected");
    ApiSession api;
};

TEST_F(InjectedPods, that_were_guaranteed_stay_guaranteed) {
    const auto pod = create(make_pod(limits_equal_to_requests("500m", "64Mi")));
    EXPECT_EQ(pod["status"]["qosClass"], "Guaranteed") << pod;
    const auto resources = sidecar_of(pod)["resources"];
    EXPECT_EQ(resources["limits"], resources["requests"]);
}

TEST_F(InjectedPods, that_were_burstable_get_a_sidecar_without_limits) {
    const auto pod = create(make_pod({{"requests", {{"cpu", "1"}}}}));
    EXPECT_EQ(pod["status"]["qosClass"], "Burstable") << pod;
    EXPECT_EQ(sidecar_of(pod)["resources"], json::parse(R"({"requests": {"cpu": "10m", "memory": "16Mi"}})"));
}

TEST_F(InjectedPods, fit_into_the_resources_of_the_pod) {
    auto asking = make_pod(limits_equal_to_requests("500m", "64Mi"));
    asking["spec"]["resources"] = limits_equal_to_requests("500m", "64Mi");
    const auto pod = create(asking);
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    if (!pod["spec"].contains("resources")) GTEST_SKIP() << "this API server knows no resources of pods";
    EXPECT_EQ(pod["status"]["qosClass"], "Guaranteed");
    EXPECT_TRUE(sidecar_of(pod).value("resources", json::object()).empty());
}

TEST_F(InjectedPods, below_the_minimum_of_a_limit_range_are_refused_until_they_declare_more) {
    make_policy("limitranges", json::parse(R"({"limits": [{"type": "Container", "min": {"memory": "64Mi"}}]})"));
    await_refusal("minimum memory usage per Container is 64Mi", json::parse(R"({"requests": {"memory": "1Mi"}})"));
    const auto refused = create(make_pod({{"requests", {{"memory", "64Mi"}}}}));
    EXPECT_EQ(refused["code"], 403);
    EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("minimum memory usage per Container is 64Mi"));
    const json enough = {{"requests", {{"memory", "64Mi"}}}};
    const auto pod = create(with_declared_sidecar(make_pod(enough), enough));
    EXPECT_EQ(sidecar_of(pod)["resources"], enough) << pod;
    EXPECT_EQ(sidecar_of(pod)["image"], "proxy:1");
}

TEST_F(InjectedPods, take_the_defaults_of_a_limit_range_for_their_limits) {
    make_policy("limitranges", json::parse(R"({"limits": [{"type": "Container", "default": {"memory": "256Mi"}}]})"));
    auto plain = make_pod();
    plain["metadata"].erase("annotations");
    ASSERT_TRUE(eventually([&] {
        return api.create(pods_of(name_space) + "?dryRun=All", plain).dump().find("256Mi") != std::string::npos;
    }));
    const auto resources = sidecar_of(create(make_pod()))["resources"];
    EXPECT_EQ(resources["limits"], json({{"memory", "256Mi"}}));
    EXPECT_EQ(resources["requests"], json::parse(R"({"cpu": "10m", "memory": "16Mi"})"));
}

TEST_F(InjectedPods, under_a_quota_on_limits_are_refused_until_they_declare_limits) {
    make_policy("resourcequotas", json::parse(R"({"hard": {"limits.memory": "1Gi"}})"));
    await_refusal("must specify limits.memory");
    const json limited = {{"limits", {{"memory", "64Mi"}}}};
    const auto refused = create(make_pod(limited));
    EXPECT_EQ(refused["code"], 403);
    EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("must specify limits.memory for: cloud-valkey-proxy"));
    const auto pod = create(with_declared_sidecar(make_pod(limited), limited));
    EXPECT_EQ(sidecar_of(pod)["resources"]["limits"], limited["limits"]) << pod;
    // A pod that is Guaranteed has the limit already.
    auto guaranteed = make_pod(limits_equal_to_requests("500m", "64Mi"));
    guaranteed["metadata"]["name"] = "guaranteed";
    EXPECT_EQ(create(guaranteed)["kind"], "Pod");
}

TEST_F(InjectedPods, with_everything_pass_pod_security_restricted) {
    ASSERT_TRUE(
        control_plane().kubectl({"label", "namespace", name_space, "pod-security.kubernetes.io/enforce=restricted"}));
    auto asking = make_pod();
    asking["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    const auto context = json::parse(R"({"runAsNonRoot": true, "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}})");
    asking["spec"]["containers"][0]["securityContext"] = context;
    asking["spec"]["initContainers"] = json::parse(R"([{"name": "istio-proxy", "image": "istio:1",
        "restartPolicy": "Always"}, {"name": "cloud-valkey-proxy", "image": "own:1",
        "securityContext": {"privileged": true, "runAsUser": 0}}])");
    asking["spec"]["initContainers"][0]["securityContext"] = context;
    const auto pod = create(asking);
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    EXPECT_EQ(sidecar_of(pod)["image"], "own:1");
    EXPECT_FALSE(sidecar_of(pod)["securityContext"].contains("privileged"));
}

TEST_F(InjectedPods, start_the_sidecar_after_the_proxy_of_a_mesh) {
    auto asking = make_pod();
    asking["spec"]["initContainers"] = json::parse(R"([{"name": "istio-init", "image": "istio:1"},
        {"name": "istio-proxy", "image": "istio:1", "restartPolicy": "Always"}, {"name": "migrate", "image": "m:1"}])");
    std::vector<std::string> order;
    const auto pod = create(asking);
    for (const auto& container : pod["spec"]["initContainers"])
        order.push_back(container["name"]);
    EXPECT_THAT(order, ElementsAre("istio-init", "istio-proxy", "cloud-valkey-proxy", "migrate"));
    EXPECT_TRUE(pod["spec"]["initContainers"][3].contains("env"));
    EXPECT_FALSE(pod["spec"]["initContainers"][1].contains("env"));
}

TEST_F(InjectedPods, share_the_directory_of_the_sockets) {
    auto asking = make_pod();
    asking["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    asking["spec"]["initContainers"] = json::array({{{"name", "migrate"}, {"image", "m:1"}}});
    const auto pod = create(asking);
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    int mounts = 0;
    for (const auto* list : {"initContainers", "containers"}) {
        for (const auto& container : pod["spec"][list]) {
            for (const auto& mount : container["volumeMounts"])
                mounts += mount["mountPath"] == "/run/cloudvalkey" ? 1 : 0;
        }
    }
    EXPECT_EQ(mounts, 3) << pod;
    EXPECT_THAT(pod["spec"]["containers"][0]["env"].dump(), HasSubstr("/run/cloudvalkey/sessions.sock"));
}

TEST_F(InjectedPods, may_be_applied_again) {
    // As it was written, with a sidecar that was declared for its resources and variables; its image is ours.
    auto declared = with_declared_sidecar(make_pod(), {{"requests", {{"cpu", "50m"}}}});
    declared["spec"]["initContainers"][0]["env"] = json::array({{{"name", "CVP_LOG_LEVEL"}, {"value", "debug"}}});
    declared["spec"]["containers"][0]["env"] = json::array({{{"name", "OWN"}, {"value", "1"}}});
    EXPECT_EQ(kubectl_apply(declared), "pod/shop created\n");
    const auto stored = api.get(pods_of(name_space) + "/shop");
    EXPECT_EQ(sidecar_of(stored)["image"], "proxy:1");
    EXPECT_EQ(sidecar_of(stored)["resources"], json::parse(R"({"requests": {"cpu": "50m"}})"));
    EXPECT_EQ(sidecar_of(stored)["env"].back()["name"], "CVP_LOG_LEVEL");
    // It sends a patch that changes nothing: the order of lists that it has only a part of.
    EXPECT_EQ(kubectl_apply(declared), "pod/shop configured\n");
    EXPECT_EQ(api.get(pods_of(name_space) + "/shop")["spec"], stored["spec"]);
}

TEST_F(InjectedPods, may_be_applied_again_by_the_server) {
    const auto declared = with_declared_sidecar(make_pod(), {{"requests", {{"cpu", "50m"}}}});
    EXPECT_EQ(kubectl_apply(declared, {"--server-side"}), "pod/shop serverside-applied\n");
    const auto stored = api.get(pods_of(name_space) + "/shop");
    EXPECT_EQ(sidecar_of(stored)["image"], "proxy:1");
    EXPECT_EQ(kubectl_apply(declared, {"--server-side"}), "pod/shop serverside-applied\n");
    EXPECT_EQ(api.get(pods_of(name_space) + "/shop")["spec"], stored["spec"]);
}

TEST_F(InjectedPods, may_be_made_anew_from_what_is_stored) {
    auto asking = make_pod();
    asking["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    const auto stored = create(asking);
    ASSERT_EQ(stored["kind"], "Pod") << stored;
    auto copy = stored;
    copy["metadata"] = {
        {"name", "copy"}, {"annotations", stored["metadata"]["annotations"]}, {"labels", stored["metadata"]["labels"]}};
    copy.erase("status");
    EXPECT_EQ(create(copy)["spec"], stored["spec"]);
}

TEST_F(InjectedPods, warn_whoever_sends_them) {
    auto asking = make_pod();
    asking["metadata"]["annotations"]["cloudvalkey.dev/conections"] = "typo";
    asking["metadata"]["annotations"]["cloudvalkey.dev/secret.orders"] = "x";
    const auto answer = api.send("POST", pods_of(name_space), asking.dump());
    EXPECT_EQ(answer.status, 201U) << answer.body;
    std::vector<std::string> warnings;
    for (const auto& [name, value] : answer.headers) {
        if (name == "Warning") warnings.push_back(value);
    }
    EXPECT_THAT(warnings,
                ElementsAre(AllOf(HasSubstr("299"), HasSubstr("cloudvalkey.dev/conections"), HasSubstr("unknown")),
                            HasSubstr("cloudvalkey.dev/secret.orders")));
}

TEST_F(InjectedPods, are_not_asked_about_when_they_change_or_are_debugged) {
    ASSERT_EQ(create(make_pod())["kind"], "Pod");
    const auto before = webhook->counters();
    const auto pod = pods_of(name_space) + "/shop";
    const std::string type = "application/strategic-merge-patch+json";
    EXPECT_EQ(api.send("PATCH", pod, R"({"metadata": {"annotations": {"cloudvalkey.dev/connections": "other"}}})", type)
                  .status,
              200U);
    EXPECT_EQ(api.send("PATCH", pod + "/ephemeralcontainers",
                       R"({"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox:1"}]}})", type)
                  .status,
              200U);
    EXPECT_EQ(webhook->counters(), before);
}

TEST_F(InjectedPods, keep_odd_keys_and_values) {
    auto asking = make_pod();
    asking["metadata"]["labels"] = {{"example.com/a", "1"}, {"a_b.c", ""}};
    asking["metadata"]["annotations"]["example.com/a.b_c"] = "line\nbreak \"quoted\" ~1 /~0 üñ🔑";
    asking["spec"]["containers"][0]["env"] = json::array({{{"name", "a.b-c"}, {"value", "~1/\\\"\n"}}});
    const auto pod = create(asking);
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    for (const auto& [key, value] : asking["metadata"]["labels"].items())
        EXPECT_EQ(pod["metadata"]["labels"][key], value);
    for (const auto& [key, value] : asking["metadata"]["annotations"].items())
        EXPECT_EQ(pod["metadata"]["annotations"][key], value);
    EXPECT_EQ(pod["spec"]["containers"][0]["env"].back(), asking["spec"]["containers"][0]["env"][0]);
    EXPECT_EQ(pod["metadata"]["labels"]["cloudvalkey.dev/injected"], "true");
}

}  // namespace
}  // namespace cvp::test
