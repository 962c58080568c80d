#include "operator/webhook/sidecar.hpp"

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// Keys of the credentials' Secret, all optional. They are listed so that a Secret can never bring a file of another
/// name into the directory, above all not a connection.yaml.
constexpr const char* kSecretKeys[] = {"username", "password", "ca.crt", "tls.crt", "tls.key", "client-password"};

/// Where the API server mounts the pod's token unless a mount is there already. The sidecar has no use for it.
constexpr const char* kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

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

/// What an idle proxy with a few clients needs: 6 MB resident and a hundredth of a core. No limits: a CPU limit adds
/// latency by throttling, and a memory limit would kill every connection of a pod with many clients, whose memory is
/// bounded by maxConnections already.
json build_resources() {
    return {{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}}};
}

std::string volume_name(const InjectedConnection& connection) {
    return std::string(names::kConfigMapPrefix) + connection.spec.name;
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
    mounts.push_back({{"name", names::kEmptyVolume}, {"mountPath", kTokenPath}, {"readOnly", true}});

    json env = json::array({{{"name", "CVP_ADMIN_LISTEN"}, {"value", ":" + std::to_string(names::kAdminPort)}}});
    json ports = json::array({{{"name", "cvp-admin"}, {"containerPort", names::kAdminPort}}});
    // exec, because meshes rewrite httpGet probes; two minutes, because a metadata server is late on new nodes.
    json probe = {{"exec", {{"command", {"/cloud-valkey-proxy", "probe"}}}},
                  {"periodSeconds", 1},
                  {"timeoutSeconds", 3},
                  {"failureThreshold", 120}};
    return {{"name", names::kSidecar},
            {"image", config.proxy_image},
            {"command", json::array({"/cloud-valkey-proxy"})},
            {"args", std::move(args)},
            {"restartPolicy", "Always"},
            {"env", std::move(env)},
            {"ports", std::move(ports)},
            {"startupProbe", std::move(probe)},
            {"resources", build_resources()},
            {"securityContext", build_security_context(pod)},
            {"volumeMounts", std::move(mounts)}};
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
    volumes.push_back({{"name", names::kEmptyVolume}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "1Mi"}}}});
    return volumes;
}

std::string build_status(const Inject& inject, const InjectionConfig& config) {
    json connections = json::array();
    for (const auto& connection : inject.connections) {
        json entry = {{"name", connection.spec.name}, {"port", connection.spec.port}};
        if (connection.spec.readers_port) entry["readersPort"] = *connection.spec.readers_port;
        connections.push_back(std::move(entry));
    }
    const json status = {{"version", config.version},
                         {"connections", std::move(connections)},
                         {"image", config.proxy_image},
                         {"mode", "Webhook"}};
    return status.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace cvp::op
