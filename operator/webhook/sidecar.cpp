#include "operator/webhook/sidecar.hpp"

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/webhook/resources.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// Keys of the credentials' Secret, all optional. They are listed so that a Secret can never bring a file of another
/// name into the directory, above all not a connection.yaml.
constexpr const char* kSecretKeys[] = {"username", "password", "ca.crt", "tls.crt", "tls.key", "client-password"};

/// Numeric user of the proxy's image.
constexpr int kProxyUser = 65532;

json build_security_context(const json& pod) {
    // Every field that Pod Security "restricted" asks for stands on the container itself: the pod may say nothing.
    json context = {{"runAsNonRoot", true},
                    {"allowPrivilegeEscalation", false},
                    {"readOnlyRootFilesystem", true},
                    {"capabilities", {{"drop", {"ALL"}}}},
                    {"seccompProfile", {{"type", "RuntimeDefault"}}}};
    // The image's user applies unless the pod says root, which the kubelet would refuse together with runAsNonRoot.
    // No user otherwise: OpenShift assigns one per namespace.
    const auto* user = find_value(pod, {"spec", "securityContext", "runAsUser"});
    if (user != nullptr && *user == 0) context["runAsUser"] = kProxyUser;
    return context;
}

std::string volume_name(const InjectedConnection& connection) {
    return std::string(names::kConfigMapPrefix) + connection.spec.name;
}

/// The mask's volume. A connection called "empty" has the name in the contract for its own.
std::string_view mask_name(const Inject& inject) {
    for (const auto& connection : inject.connections) {
        if (volume_name(connection) == names::kEmptyVolume) return "cloudvalkey--empty";
    }
    return names::kEmptyVolume;
}

json build_memory_volume(std::string_view name) {
    return {{"name", name}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "1Mi"}}}};
}

json build_env(const Inject& inject) {
    json env = json::array({{{"name", "CVP_ADMIN_LISTEN"}, {"value", ":" + std::to_string(names::kAdminPort)}}});
    if (inject.has_socket) {
        // The application's uid is not ours, and the pod is the boundary.
        env.push_back({{"name", "CVP_UNIX_SOCKET"}, {"value", names::kSocketDir}});
        env.push_back({{"name", "CVP_UNIX_SOCKET_MODE"}, {"value", "0666"}});
    }
    return env;
}

json build_items(const std::vector<std::string_view>& keys) {
    json items = json::array();
    for (const auto key : keys)
        items.push_back({{"key", key}, {"path", key}});
    return items;
}

}  // namespace

json build_sidecar(const json& pod, const Inject& inject, const InjectionConfig& config) {
    json args = json::array();
    json mounts = json::array();
    for (const auto& connection : inject.connections) {
        args.push_back("--connection=" + to_string(connection.spec));
        mounts.push_back({{"name", volume_name(connection)},
                          {"mountPath", std::string(names::kMountRoot) + "/" + connection.spec.name},
                          {"readOnly", true}});
    }
    mounts.push_back({{"name", mask_name(inject)}, {"mountPath", kTokenPath}, {"readOnly", true}});
    if (inject.has_socket) mounts.push_back({{"name", names::kSocketVolume}, {"mountPath", names::kSocketDir}});

    json ports = json::array({{{"name", "cvp-admin"}, {"containerPort", names::kAdminPort}}});
    // exec, because meshes rewrite httpGet probes; two minutes, because a metadata server is late on new nodes.
    json probe = {{"exec", {{"command", {"/cloud-valkey-proxy", "probe"}}}},
                  {"periodSeconds", 1},
                  {"timeoutSeconds", 3},
                  {"failureThreshold", 120}};
    json sidecar = {{"name", names::kSidecar},
                    {"image", config.proxy_image},
                    {"command", json::array({"/cloud-valkey-proxy"})},
                    {"args", std::move(args)},
                    {"restartPolicy", "Always"},
                    {"env", build_env(inject)},
                    {"ports", std::move(ports)},
                    {"startupProbe", std::move(probe)},
                    {"securityContext", build_security_context(pod)},
                    {"volumeMounts", std::move(mounts)}};
    if (auto resources = build_resources(pod); !resources.empty()) sidecar["resources"] = std::move(resources);
    return sidecar;
}

std::vector<json> build_volumes(const Inject& inject) {
    static const std::vector<std::string_view> kSecretItems(std::begin(kSecretKeys), std::end(kSecretKeys));
    std::vector<json> volumes;
    for (const auto& connection : inject.connections) {
        // Not optional: the kubelet holds the pod until the operator has resolved the connection.
        json config_map = {
            {"name", volume_name(connection)}, {"items", build_items({names::kConnectionFile})}, {"optional", false}};
        json secret = {{"name", connection.secret}, {"items", build_items(kSecretItems)}, {"optional", true}};
        json sources = json::array({{{"configMap", std::move(config_map)}}, {{"secret", std::move(secret)}}});
        volumes.push_back({{"name", volume_name(connection)}, {"projected", {{"sources", std::move(sources)}}}});
    }
    volumes.push_back(build_memory_volume(mask_name(inject)));
    if (inject.has_socket) volumes.push_back(build_memory_volume(names::kSocketVolume));
    return volumes;
}

json build_socket_mount() {
    return {{"name", names::kSocketVolume}, {"mountPath", names::kSocketDir}, {"readOnly", true}};
}

std::string build_status(const Inject& inject, const std::string& image, const InjectionConfig& config) {
    json connections = json::array();
    for (const auto& connection : inject.connections) {
        json entry = {{"name", connection.spec.name}, {"port", connection.spec.port}};
        if (connection.spec.readers_port) entry["readersPort"] = *connection.spec.readers_port;
        connections.push_back(std::move(entry));
    }
    const json status = {
        {"version", config.version}, {"connections", std::move(connections)}, {"image", image}, {"mode", "Webhook"}};
    return status.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace cvp::op
