// Pods that ask for a sidecar, on a real API server that calls the real webhook.

#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/running_webhook.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kConfiguration =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/cloud-valkey-operator";
const std::string kSecret = "/api/v1/namespaces/cloud-valkey/secrets/cloud-valkey-operator-tls";
const std::string kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A pod that Pod Security `restricted` admits.
json make_pod(const std::string& connections, const std::string& name = "shop") {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", name}, {"annotations", {{"cloudvalkey.dev/connections", connections}}}}},
            {"spec",
             {{"containers", json::array({{{"name", "app"},
                                           {"image", "app:1"},
                                           {"securityContext",
                                            {{"runAsNonRoot", true},
                                             {"allowPrivilegeEscalation", false},
                                             {"capabilities", {{"drop", {"ALL"}}}},
                                             {"seccompProfile", {{"type", "RuntimeDefault"}}}}}}})}}}};
}

/// Paths that a container mounts, with the volumes behind them.
json mounts_of(const json& container) {
    json mounts = json::object();
    for (const auto& mount : container.value("volumeMounts", json::array()))
        mounts[mount["mountPath"].get<std::string>()] = mount["name"];
    return mounts;
}

class Injection : public testing::Test {
protected:
    static void SetUpTestSuite() {
        webhook = std::make_unique<RunningWebhook>();
        for (const auto* name : {"shop", "plain"})
            ASSERT_TRUE(control_plane().make_namespace(name));
        ASSERT_TRUE(
            control_plane().kubectl({"label", "namespace", "shop", "pod-security.kubernetes.io/enforce=restricted"}));
    }
    static void TearDownTestSuite() { webhook.reset(); }

    json create(const json& pod, const std::string& name_space = "shop", const std::string& query = "") {
        return api.create(pods_of(name_space) + query, pod);
    }

    static inline std::unique_ptr<RunningWebhook> webhook;
    ApiSession api;
};

TEST_F(Injection, gives_an_annotated_pod_the_sidecar_under_restricted) {
    const auto pod = create(make_pod("sessions, orders:6390/6391"));
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    ASSERT_EQ(pod["spec"]["initContainers"].size(), 1U);
    const auto& sidecar = pod["spec"]["initContainers"][0];
    EXPECT_EQ(sidecar["name"], "cloud-valkey-proxy");
    EXPECT_EQ(sidecar["image"], "proxy:1");
    EXPECT_EQ(sidecar["command"], json::parse(R"(["/cloud-valkey-proxy"])"));
    EXPECT_EQ(sidecar["args"], json::parse(R"(["--connection=sessions:6379", "--connection=orders:6390/6391"])"));
    EXPECT_EQ(sidecar["restartPolicy"], "Always");
    EXPECT_EQ(sidecar["env"], json::parse(R"([{"name": "CVP_ADMIN_LISTEN", "value": ":9379"}])"));
    EXPECT_EQ(sidecar["ports"], json::parse(R"([{"name": "cvp-admin", "containerPort": 9379, "protocol": "TCP"}])"));
    EXPECT_EQ(sidecar["startupProbe"]["exec"]["command"], json::parse(R"(["/cloud-valkey-proxy", "probe"])"));
    EXPECT_EQ(sidecar["startupProbe"]["failureThreshold"], 120);
    EXPECT_EQ(sidecar["securityContext"], json::parse(R"({"runAsNonRoot": true, "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"}})"));
    EXPECT_EQ(pod["metadata"]["labels"]["cloudvalkey.dev/injected"], "true");
    const auto status = json::parse(pod["metadata"]["annotations"]["cloudvalkey.dev/status"].get<std::string>());
    EXPECT_EQ(status, json::parse(R"({"version": "1.2.3", "image": "proxy:1", "mode": "Webhook", "connections":
        [{"name": "sessions", "port": 6379}, {"name": "orders", "port": 6390, "readersPort": 6391}]})"));
}

TEST_F(Injection, keeps_the_pods_token_out_of_the_sidecar_and_in_the_application) {
    const auto pod = create(make_pod("sessions", "token"));
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    EXPECT_EQ(mounts_of(pod["spec"]["initContainers"][0]),
              json({{"/etc/cloudvalkey/sessions", "cloudvalkey-sessions"}, {kTokenPath, "cloudvalkey-empty"}}));
    EXPECT_THAT(mounts_of(pod["spec"]["containers"][0])[kTokenPath].get<std::string>(),
                testing::StartsWith("kube-api-access-"));
}

TEST_F(Injection, mounts_the_resolved_connection_and_holds_the_pod_for_it) {
    auto asking = make_pod("sessions", "volumes");
    asking["metadata"]["annotations"]["cloudvalkey.dev/secret.sessions"] = "team-login";
    const auto pod = create(asking);
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    for (const auto& volume : pod["spec"]["volumes"]) {
        if (volume["name"] != "cloudvalkey-sessions") continue;
        const auto& sources = volume["projected"]["sources"];
        ASSERT_EQ(sources.size(), 2U);
        EXPECT_EQ(sources[0]["configMap"], json::parse(R"({"name": "cloudvalkey-sessions", "optional": false,
            "items": [{"key": "connection.yaml", "path": "connection.yaml"}]})"));
        EXPECT_EQ(sources[1]["secret"]["name"], "team-login");
        EXPECT_EQ(sources[1]["secret"]["optional"], true);
        EXPECT_EQ(sources[1]["secret"]["items"].size(), 6U);
        return;
    }
    FAIL() << "no volume for the connection: " << pod["spec"]["volumes"];
}

TEST_F(Injection, refuses_with_reason_and_remedy) {
    auto pod = make_pod("sessions", "clash");
    pod["spec"]["containers"][0]["ports"] = json::array({{{"containerPort", 6379}}});
    const auto status = create(pod);
    EXPECT_EQ(status["kind"], "Status");
    EXPECT_EQ(status["code"], 403);
    EXPECT_THAT(status["message"].get<std::string>(),
                HasSubstr("admission webhook \"inject.cloudvalkey.dev\" denied the request: cloud-valkey-proxy: "
                          "PortClash: container \"app\" declares containerPort 6379"));
    EXPECT_THAT(webhook->counters(), HasSubstr(R"(_total{result="refused",reason="PortClash"} 1)"));
}

TEST_F(Injection, tells_the_owner_of_a_refused_deployment_why) {
    const auto made = control_plane().kubectl({"create", "--filename=-"}, R"({"apiVersion": "apps/v1",
        "kind": "Deployment", "metadata": {"name": "refused", "namespace": "plain"}, "spec": {"selector":
        {"matchLabels": {"app": "refused"}}, "template": {"metadata": {"labels": {"app": "refused"}, "annotations":
        {"cloudvalkey.dev/connections": "Sessions"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})");
    ASSERT_TRUE(made) << made.error().context;
    const auto waited = control_plane().kubectl(
        {"wait", "--for=condition=ReplicaFailure", "deployment/refused", "--namespace=plain", "--timeout=20s"});
    ASSERT_TRUE(waited) << waited.error().context;
    const auto why = control_plane().kubectl({"get", "deployment", "refused", "--namespace=plain",
                                              "--output=jsonpath={.status.conditions[?(@.type=='ReplicaFailure')]}"});
    EXPECT_THAT(why.value_or(""), HasSubstr("cloud-valkey-proxy: BadName: "));
}

TEST_F(Injection, reaches_the_pods_of_a_deployment) {
    const auto made = control_plane().kubectl({"create", "--filename=-"}, R"({"apiVersion": "apps/v1",
        "kind": "Deployment", "metadata": {"name": "web", "namespace": "plain"}, "spec": {"selector":
        {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}, "annotations":
        {"cloudvalkey.dev/connections": "sessions"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})");
    ASSERT_TRUE(made) << made.error().context;
    const auto waited = control_plane().kubectl(
        {"wait", "--for=create", "pod", "--selector=app=web", "--namespace=plain", "--timeout=20s"});
    ASSERT_TRUE(waited) << waited.error().context;
    const auto pods = api.get(pods_of("plain") + "?labelSelector=app%3Dweb")["items"];
    ASSERT_EQ(pods.size(), 1U);
    EXPECT_EQ(pods[0]["spec"]["initContainers"][0]["name"], "cloud-valkey-proxy");
}

TEST_F(Injection, leaves_an_injected_pod_that_is_sent_again) {
    auto pod = create(make_pod("sessions", "first"));
    ASSERT_EQ(pod["kind"], "Pod") << pod;
    pod["metadata"] = {
        {"name", "second"}, {"labels", pod["metadata"]["labels"]}, {"annotations", pod["metadata"]["annotations"]}};
    pod.erase("status");
    const auto again = create(pod);
    ASSERT_EQ(again["kind"], "Pod") << again;
    EXPECT_EQ(again["spec"], pod["spec"]);
}

TEST_F(Injection, has_no_side_effect_in_a_dry_run) {
    const auto everything = [this] {
        json versions = json::object();
        for (const auto* kind : {"pods", "configmaps", "secrets", "events"}) {
            for (const auto* name_space : {"dry", "cloud-valkey"}) {
                const auto list = api.get("/api/v1/namespaces/" + std::string(name_space) + "/" + kind);
                for (const auto& item : list["items"])
                    versions[item["metadata"]["uid"].get<std::string>()] = item["metadata"]["resourceVersion"];
            }
        }
        versions["configuration"] = api.get(kConfiguration)["metadata"]["resourceVersion"];
        return versions;
    };
    ASSERT_TRUE(control_plane().make_namespace("dry"));
    const auto before = everything();
    const auto pod = create(make_pod("sessions"), "dry", "?dryRun=All");
    EXPECT_EQ(pod["spec"]["initContainers"][0]["name"], "cloud-valkey-proxy") << pod;
    const auto by_kubectl = control_plane().kubectl({"apply", "--namespace=dry", "--dry-run=server", "--filename=-"},
                                                    make_pod("sessions").dump());
    EXPECT_EQ(by_kubectl.value_or(""), "pod/shop created (server dry run)\n");
    EXPECT_EQ(everything(), before);
}

TEST_F(Injection, is_not_asked_about_namespaces_of_the_system_and_its_own) {
    const auto before = webhook->counters();
    for (const auto* name_space : {"kube-system", "kube-node-lease", "cloud-valkey"}) {
        const auto pod = create(make_pod("sessions"), name_space, "?dryRun=All");
        EXPECT_FALSE(pod.value("spec", json::object()).contains("initContainers")) << name_space << pod;
    }
    EXPECT_EQ(webhook->counters(), before);
}

TEST_F(Injection, survives_an_upgrade_of_the_chart_and_a_wiped_bundle) {
    const auto bundle_of = [this] {
        return api.get(kConfiguration)["webhooks"][0]["clientConfig"].value("caBundle", "");
    };
    const auto bundle = bundle_of();
    ASSERT_FALSE(bundle.empty());
    const auto secret = api.get(kSecret)["data"];
    const auto wipe = R"([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}])";
    ASSERT_EQ(api.send("PATCH", kConfiguration, wipe, "application/json-patch+json").status, 200U);
    const auto wiped_at = SteadyClock::now();
    while (bundle_of() != bundle) {
        ASSERT_LT(SteadyClock::now() - wiped_at, std::chrono::milliseconds(1500)) << "the bundle does not come back";
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    RecordProperty(
        "repaired_after_ms",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - wiped_at).count()));
    EXPECT_EQ(api.get(kSecret)["data"], secret) << "the CA is the same";

    const auto url = api.get(kConfiguration)["webhooks"][0]["clientConfig"]["url"].get<std::string>();
    const auto upgrade =
        render_chart({"--show-only", "templates/webhook.yaml", "--set", "webhook.url=" + url + ",image.tag=2.0"});
    const auto applied = control_plane().kubectl({"apply", "--server-side", "--filename=-"}, upgrade);
    ASSERT_TRUE(applied) << applied.error().context;
    EXPECT_EQ(bundle_of(), bundle);
    EXPECT_EQ(create(make_pod("sessions", "after"))["spec"]["initContainers"][0]["name"], "cloud-valkey-proxy");
}

}  // namespace
}  // namespace cvp::test
