#include "operator/webhook/merge.hpp"

#include <gmock/gmock.h>

#include "tests/unit/operator/webhook/admission.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using test::make_pod;
using test::patched;
using test::sidecar_of;

json without_volume_mounts(json container) {
    container.erase("volumeMounts");
    return container;
}

/// The sidecar of a pod in which a container of its name was declared.
json merged(const json& declared, const std::string& connections = "sessions") {
    auto pod = make_pod(connections);
    pod["spec"]["initContainers"] = json::array({declared});
    pod["spec"]["initContainers"][0]["name"] = "cloud-valkey-proxy";
    return sidecar_of(patched(pod));
}

/// The sidecar of a pod that declares none.
json ours() {
    return sidecar_of(patched(make_pod("sessions")));
}

TEST(Merge, keeps_image_policy_resources_env_and_mounts_of_the_users) {
    const auto sidecar = merged(json::parse(R"({"image": "own:1", "imagePullPolicy": "Never",
        "resources": {"limits": {"memory": "64Mi"}}, "env": [{"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}]})"));
    auto expected = ours();
    expected["image"] = "own:1";
    expected["imagePullPolicy"] = "Never";
    expected["resources"] = json::parse(R"({"limits": {"memory": "64Mi"}})");
    expected["env"].push_back({{"name", "A"}, {"value", "1"}});
    expected["env"].push_back(
        json::parse(R"({"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})"));
    expected["volumeMounts"].push_back({{"name", "data"}, {"mountPath", "/data"}});
    EXPECT_EQ(sidecar, expected);
}

TEST(Merge, fills_in_what_the_user_left_to_us) {
    // As the API server sends what the user left out, and as the user may write it.
    for (const auto* declared : {"{}", R"({"image": "auto", "resources": {}})", R"({"image": "", "env": null})",
                                 R"({"image": null, "resources": null, "volumeMounts": null, "env": []})"}) {
        EXPECT_EQ(merged(json::parse(declared)), ours()) << declared;
    }
}

TEST(Merge, takes_everything_else_from_us) {
    EXPECT_EQ(merged(json::parse(R"({"command": ["sh"], "args": ["-c", "true"], "restartPolicy": "Never",
        "securityContext": {"privileged": true, "runAsUser": 0}, "lifecycle": {"preStop": {"exec": {"command": ["x"]}}},
        "startupProbe": {"httpGet": {"port": 1}}, "livenessProbe": {"httpGet": {"port": 1}}, "stdin": true,
        "envFrom": [{"configMapRef": {"name": "x"}}], "workingDir": "/", "ports": [{"containerPort": 6379}]})")),
              ours());
}

TEST(Merge, lets_our_variables_win) {
    auto expected = ours()["env"];
    expected.push_back({{"name", "CVP_LOG_LEVEL"}, {"value", "debug"}});
    EXPECT_EQ(merged(json::parse(R"({"env": [{"name": "CVP_ADMIN_LISTEN", "value": "off"},
        {"name": "CVP_LOG_LEVEL", "value": "debug"}]})"))["env"],
              expected);
}

TEST(Merge, keeps_our_paths_free_of_other_mounts) {
    for (const std::string path :
         {"/etc/cloudvalkey", "/etc/cloudvalkey/sessions", "/etc/cloudvalkey/sessions/", "/etc//cloudvalkey/sessions/x",
          "/etc/x/../cloudvalkey/sessions", "/etc/cloudvalkey/other", "/run/cloudvalkey", "etc/cloudvalkey/sessions",
          "/var/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/kubernetes.io/serviceaccount/"}) {
        const json declared = {{"volumeMounts", json::array({{{"name", "data"}, {"mountPath", path}}})}};
        EXPECT_EQ(merged(declared), ours()) << path;
    }
    for (const std::string path : {"/etc", "/etc/cloudvalkey-x", "/data", "/run", "/var/run/secrets/other"}) {
        const json declared = {{"volumeMounts", json::array({{{"name", "data"}, {"mountPath", path}}})}};
        EXPECT_EQ(merged(declared)["volumeMounts"].size(), ours()["volumeMounts"].size() + 1) << path;
        EXPECT_EQ(without_volume_mounts(merged(declared)), without_volume_mounts(ours())) << path;
    }
}

TEST(Merge, leaves_the_users_port_to_the_sidecar) {
    const auto sidecar = merged(json::parse(R"({"ports": [{"containerPort": 9379}, {"containerPort": 6379}]})"));
    EXPECT_EQ(sidecar["ports"], ours()["ports"]) << "it is no clash";
}

TEST(Merge, shows_the_image_that_runs_in_the_status) {
    auto pod = make_pod("sessions");
    pod["spec"]["initContainers"] = json::array({{{"name", "cloud-valkey-proxy"}, {"image", "own:1"}}});
    const auto status = patched(pod)["metadata"]["annotations"]["cloudvalkey.dev/status"].get<std::string>();
    EXPECT_EQ(json::parse(status)["image"], "own:1");
}

}  // namespace
}  // namespace cvp::op
