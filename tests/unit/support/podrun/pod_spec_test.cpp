#include "tests/support/podrun/pod_spec.hpp"

#include <gtest/gtest.h>

namespace cvp::test::podrun {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

Json injected_pod() {
    return Json::parse(R"({
      "metadata": {"name": "web-1", "namespace": "shop", "uid": "u-1"},
      "spec": {
        "containers": [{"name": "app", "image": "app:1", "env": [{"name": "VALKEY_SESSIONS_PORT", "value": "6379"}]}],
        "initContainers": [
          {"name": "other", "image": "x"},
          {"name": "cloud-valkey-proxy", "image": "proxy:1", "command": ["/cloud-valkey-proxy"],
           "args": ["--connection=sessions:6379"], "restartPolicy": "Always",
           "env": [{"name": "CVP_ADMIN_LISTEN", "value": ":9379"}, {"name": "EMPTY"}],
           "startupProbe": {"exec": {"command": ["/cloud-valkey-proxy", "probe"]}, "periodSeconds": 1,
                            "timeoutSeconds": 3, "failureThreshold": 120},
           "volumeMounts": [
             {"name": "cloudvalkey-sessions", "mountPath": "/etc/cloudvalkey/sessions", "readOnly": true},
             {"name": "cloudvalkey-empty", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}],
        "volumes": [
          {"name": "unrelated", "hostPath": {"path": "/"}},
          {"name": "cloudvalkey-empty", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
          {"name": "cloudvalkey-sessions", "projected": {"defaultMode": 288, "sources": [
            {"configMap": {"name": "cloudvalkey-sessions", "items": [{"key": "connection.yaml", "path": "connection.yaml"}]}},
            {"secret": {"name": "cloudvalkey-sessions", "optional": true,
                        "items": [{"key": "password", "path": "password", "mode": 256}]}}]}}]}})");
}

/// The member of the sidecar, to be changed by a test.
Json& sidecar(Json& pod) {
    return pod["spec"]["initContainers"][1];
}

TEST(PodSpec, takes_what_is_needed_to_run_the_sidecar) {
    const auto pod = parse_pod(injected_pod(), "cloud-valkey-proxy");
    ASSERT_TRUE(pod) << pod.error().context;
    EXPECT_EQ(pod->name, "web-1");
    EXPECT_EQ(pod->namespace_name, "shop");
    EXPECT_EQ(pod->uid, "u-1");
    const auto& container = pod->sidecar;
    EXPECT_EQ(container.image, "proxy:1");
    EXPECT_EQ(container.argv, (std::vector<std::string>{"/cloud-valkey-proxy", "--connection=sessions:6379"}));
    EXPECT_EQ(container.env, (std::vector<std::string>{"CVP_ADMIN_LISTEN=:9379", "EMPTY="}));
    EXPECT_EQ(container.startup_probe, (ExecProbe{{"/cloud-valkey-proxy", "probe"}, 0s, 1s, 3s, 120}));
    EXPECT_EQ(container.mounts,
              (std::vector<Mount>{{"cloudvalkey-sessions", "/etc/cloudvalkey/sessions", true},
                                  {"cloudvalkey-empty", "/var/run/secrets/kubernetes.io/serviceaccount", false}}));
    EXPECT_EQ(pod->app_env, std::vector<std::string>{"VALKEY_SESSIONS_PORT=6379"});
}

TEST(PodSpec, takes_the_volumes_that_the_sidecar_mounts_and_no_other) {
    const auto pod = parse_pod(injected_pod(), "cloud-valkey-proxy");
    ASSERT_TRUE(pod);
    ASSERT_EQ(pod->volumes.size(), 2u);
    const auto& sessions = pod->volumes[0];
    EXPECT_EQ(sessions.default_mode, 0440u);
    ASSERT_EQ(sessions.sources.size(), 2u);
    EXPECT_EQ(sessions.sources[0].kind, VolumeSource::Kind::config_map);
    EXPECT_FALSE(sessions.sources[0].is_optional);
    EXPECT_EQ(sessions.sources[1].kind, VolumeSource::Kind::secret);
    EXPECT_TRUE(sessions.sources[1].is_optional);
    EXPECT_EQ(sessions.sources[1].items->at(0).mode, 0400u);
    EXPECT_TRUE(pod->volumes[1].is_empty_dir);
}

TEST(PodSpec, runs_as_the_user_of_the_container_of_the_pod_or_of_our_images) {
    auto pod = injected_pod();
    EXPECT_EQ(parse_pod(pod, "cloud-valkey-proxy")->sidecar.run_as_user, 65532u);
    pod["spec"]["securityContext"]["runAsUser"] = 1000;
    EXPECT_EQ(parse_pod(pod, "cloud-valkey-proxy")->sidecar.run_as_user, 1000u);
    sidecar(pod)["securityContext"]["runAsUser"] = 2000;
    EXPECT_EQ(parse_pod(pod, "cloud-valkey-proxy")->sidecar.run_as_user, 2000u);
}

TEST(PodSpec, confines_command_and_probe_alike) {
    auto container = parse_pod(injected_pod(), "cloud-valkey-proxy")->sidecar;
    confine(container);
    EXPECT_EQ(container.argv.front(), "setpriv");
    EXPECT_EQ(container.argv[1], "--reuid=65532");
    EXPECT_EQ(container.argv[container.argv.size() - 2], "/cloud-valkey-proxy");
    EXPECT_EQ(container.startup_probe->command.front(), "setpriv");
    EXPECT_EQ(container.startup_probe->command.back(), "probe");
}

TEST(PodSpec, says_that_a_pod_has_no_sidecar) {
    EXPECT_EQ(parse_pod(injected_pod(), "absent").error().code, ErrorCode::not_found);
    EXPECT_EQ(parse_pod(Json::object(), "cloud-valkey-proxy").error().code, ErrorCode::not_found);
}

TEST(PodSpec, refuses_what_it_cannot_stand_in_for) {
    const auto refused = [](auto change) {
        auto pod = injected_pod();
        change(pod);
        const auto parsed = parse_pod(pod, "cloud-valkey-proxy");
        return !parsed && parsed.error().code == ErrorCode::invalid_argument;
    };
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod).erase("restartPolicy"); }));
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod).erase("command"); }));
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod)["volumeMounts"][0]["subPath"] = "x"; }));
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod)["startupProbe"] = {{"httpGet", {{"port", 1}}}}; }));
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod)["env"][0] = {{"name", "X"}, {"valueFrom", {{"a", 1}}}}; }));
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod)["volumeMounts"][0]["name"] = "unrelated"; }));
    EXPECT_TRUE(refused([](Json& pod) { sidecar(pod)["volumeMounts"][0]["name"] = "nowhere"; }));
    EXPECT_TRUE(refused([](Json& pod) {
        pod["spec"]["volumes"][2]["projected"]["sources"][0] = {{"serviceAccountToken", {{"path", "token"}}}};
    }));
}

}  // namespace
}  // namespace cvp::test::podrun
