#include "operator/webhook/pod_patch.hpp"

#include <gmock/gmock.h>

#include "tests/unit/operator/webhook/admission.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using test::container_named;
using test::make_pod;
using test::patched;
using test::sidecar_of;
using testing::ElementsAre;

/// Names of a pod's init containers once it is injected.
std::vector<std::string> order_of(const std::vector<std::string>& names) {
    auto pod = make_pod("sessions");
    for (const auto& name : names)
        pod["spec"]["initContainers"].push_back({{"name", name}});
    std::vector<std::string> order;
    const auto injected = patched(pod);
    EXPECT_EQ(patched(injected), injected);
    for (const auto& container : injected["spec"]["initContainers"])
        order.push_back(container["name"]);
    return order;
}

TEST(Placement, is_first_where_there_is_no_mesh) {
    EXPECT_THAT(order_of({}), ElementsAre("cloud-valkey-proxy"));
    EXPECT_THAT(order_of({"a", "b"}), ElementsAre("cloud-valkey-proxy", "a", "b"));
    EXPECT_THAT(order_of({"a", "cloud-valkey-proxy"}), ElementsAre("cloud-valkey-proxy", "a"));
    EXPECT_THAT(order_of({"istio-init", "my-istio-proxy"}),
                ElementsAre("cloud-valkey-proxy", "istio-init", "my-istio-proxy"));
}

TEST(Placement, is_right_after_the_last_proxy_of_a_mesh) {
    EXPECT_THAT(order_of({"istio-init", "istio-proxy", "a"}),
                ElementsAre("istio-init", "istio-proxy", "cloud-valkey-proxy", "a"));
    EXPECT_THAT(order_of({"linkerd-init", "linkerd-proxy"}),
                ElementsAre("linkerd-init", "linkerd-proxy", "cloud-valkey-proxy"));
    EXPECT_THAT(order_of({"linkerd-proxy", "a", "istio-proxy", "b"}),
                ElementsAre("linkerd-proxy", "a", "istio-proxy", "cloud-valkey-proxy", "b"));
    EXPECT_THAT(order_of({"cloud-valkey-proxy", "istio-proxy", "b"}),
                ElementsAre("istio-proxy", "cloud-valkey-proxy", "b"));
    EXPECT_THAT(order_of({"istio-proxy", "b", "cloud-valkey-proxy"}),
                ElementsAre("istio-proxy", "cloud-valkey-proxy", "b"));
}

TEST(ApplicationEnvironment, is_in_every_container_that_starts_after_the_sidecar) {
    auto pod = make_pod("my-cache:7000/7001");
    pod["spec"]["containers"].push_back({{"name", "log"}});
    pod["spec"]["initContainers"] = json::array({{{"name", "istio-proxy"}}, {{"name", "migrate"}}});
    const auto injected = patched(pod);
    const auto env = json::parse(R"([{"name": "VALKEY_MY_CACHE_HOST", "value": "127.0.0.1"},
        {"name": "VALKEY_MY_CACHE_PORT", "value": "7000"},
        {"name": "VALKEY_MY_CACHE_URL", "value": "redis://127.0.0.1:7000"},
        {"name": "VALKEY_MY_CACHE_READERS_PORT", "value": "7001"}])");
    EXPECT_EQ(container_named(injected, "app", "containers")["env"], env);
    EXPECT_EQ(container_named(injected, "log", "containers")["env"], env);
    EXPECT_EQ(container_named(injected, "migrate")["env"], env);
    EXPECT_EQ(container_named(injected, "istio-proxy"), json({{"name", "istio-proxy"}})) << "it starts before";
}

TEST(ApplicationEnvironment, leaves_names_that_are_taken_and_stands_before_the_users) {
    auto pod = make_pod("sessions");
    pod["spec"]["containers"][0]["env"] = json::parse(R"([{"name": "URL", "value": "$(VALKEY_SESSIONS_URL)/0"
},
        {"name": "VALKEY_SESSIONS_PORT", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}])");
    EXPECT_EQ(patched(pod)["spec"]["containers"][0]["env"], json::parse(R"([
        {"name": "VALKEY_SESSIONS_HOST", "value": "127.0.0.1"},
        {"name": "VALKEY_SESSIONS_URL", "value": "redis://127.0.0.1:6379"},
        {"name": "URL", "value": "$(VALKEY_SESSIONS_URL)/0"
},
        {"name": "VALKEY_SESSIONS_PORT", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}])"));
}

TEST(ApplicationEnvironment, has_no_name_twice) {
    const auto env = patched(make_pod("a:7000/7001, a-readers:7002"))["spec"]["containers"][0]["env"];
    std::map<std::string, std::string> values;
    for (const auto& variable : env)
        EXPECT_TRUE(values.emplace(variable["name"], variable["value"]).second) << variable;
    EXPECT_EQ(values.at("VALKEY_A_READERS_PORT"), "7001") << "the first in the list has it";
    EXPECT_EQ(values.at("VALKEY_A_READERS_URL"), "redis://127.0.0.1:7002");
}

class UnixSocket : public testing::Test {
protected:
    UnixSocket() { pod["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true"; }

    /// What a container mounts at the sockets' directory.
    static json mount_of(const json& container) {
        for (const auto& mount : container.value("volumeMounts", json::array())) {
            if (mount["mountPath"] == "/run/cloudvalkey") return mount;
        }
        return nullptr;
    }

    json pod = make_pod("sessions");
};

TEST_F(UnixSocket, is_a_directory_in_memory_that_every_container_mounts) {
    pod["spec"]["initContainers"] = json::array({{{"name", "linkerd-proxy"}}, {{"name", "migrate"}}});
    const auto injected = patched(pod);
    const auto volume = injected["spec"]["volumes"].back();
    EXPECT_EQ(volume["emptyDir"], json::parse(R"({"medium": "Memory", "sizeLimit": "1Mi"})"));
    const auto name = volume["name"];
    for (const auto* other : {"linkerd-proxy", "migrate"}) {
        EXPECT_EQ(mount_of(container_named(injected, other)),
                  json({{"name", name}, {"mountPath", "/run/cloudvalkey"}, {"readOnly", true}}));
    }
    EXPECT_EQ(mount_of(container_named(injected, "app", "containers"))["name"], name);
    EXPECT_EQ(mount_of(sidecar_of(injected)), json({{"name", name}, {"mountPath", "/run/cloudvalkey"}}))
        << "the proxy makes the socket there";
}

TEST_F(UnixSocket, is_told_to_the_proxy_and_to_the_application) {
    const auto injected = patched(pod);
    EXPECT_EQ(sidecar_of(injected)["env"], json::parse(R"([{"name": "CVP_ADMIN_LISTEN", "value": ":9379"},
        {"name": "CVP_UNIX_SOCKET", "value": "/run/cloudvalkey"}, {"name": "CVP_UNIX_SOCKET_MODE", "value": "0666"}])"));
    EXPECT_EQ(injected["spec"]["containers"][0]["env"].back(),
              json::parse(R"({"name": "VALKEY_SESSIONS_SOCKET", "value": "/run/cloudvalkey/sessions.sock"})"));
}

TEST_F(UnixSocket, gives_way_to_a_mount_of_the_users) {
    pod["spec"]["containers"][0]["volumeMounts"] = json::array({{{"name", "x"}, {"mountPath", "/run/cloudvalkey/"}}});
    const auto app = patched(pod)["spec"]["containers"][0];
    EXPECT_EQ(app["volumeMounts"], pod["spec"]["containers"][0]["volumeMounts"]);
    for (const auto& variable : app["env"])
        EXPECT_NE(variable["name"], "VALKEY_SESSIONS_SOCKET");
}

TEST_F(UnixSocket, is_there_for_true_alone) {
    for (const auto* value : {"false", "True", "yes", "1", ""}) {
        pod["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = value;
        const auto injected = patched(pod);
        EXPECT_EQ(injected["spec"]["volumes"].size(), 2U) << value;
        EXPECT_TRUE(mount_of(injected["spec"]["containers"][0]).is_null()) << value;
    }
}

TEST(InjectedVolumes, have_names_that_no_connection_takes) {
    auto pod = make_pod("empty, sockets, a");
    pod["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    std::set<std::string> names;
    const auto injected = patched(pod);
    for (const auto& volume : injected["spec"]["volumes"])
        EXPECT_TRUE(names.insert(volume["name"].get<std::string>()).second) << volume["name"];
    EXPECT_EQ(names.size(), 5U);
    const auto sidecar = sidecar_of(injected);
    for (const auto& mount : sidecar["volumeMounts"])
        EXPECT_EQ(names.count(mount["name"].get<std::string>()), 1U) << mount;
    EXPECT_TRUE(injected["spec"]["volumes"][0].contains("projected")) << "cloudvalkey-empty is the connection's";
}

}  // namespace
}  // namespace cvp::op
