#include "operator/webhook/injection.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// Longest name of a Secret: a DNS subdomain.
constexpr std::size_t kMaxSecretName = 253;

bool is_windows(const json& pod) {
    return find_string(pod, {"spec", "os", "name"}) == "windows" ||
           find_string(pod, {"spec", "nodeSelector", "kubernetes.io/os"}) == "windows";
}

bool is_secret_name(std::string_view name) {
    const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && name.size() <= kMaxSecretName && is_alphanumeric(name.front()) &&
           is_alphanumeric(name.back()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return c == '-' || c == '.' || is_alphanumeric(c); });
}

auto count_of_sidecars(const json& pod) {
    const auto& containers = find_array(pod, {"spec", "initContainers"});
    return std::count_if(containers.begin(), containers.end(),
                         [](const json& container) { return find_string(container, {"name"}) == names::kSidecar; });
}

/// Faults of the pod itself, whatever connections it asks for.
std::optional<Refuse> check_pod(const json& pod) {
    if (is_windows(pod)) {
        return Refuse{"Windows",
                      fmt::format("the proxy runs on Linux nodes only; remove the annotation {} from this pod",
                                  names::kConnectionsAnnotation)};
    }
    if (const auto* host = find_value(pod, {"spec", "hostNetwork"}); host != nullptr && *host == true) {
        return Refuse{"HostNetwork",
                      fmt::format("with hostNetwork the proxy's ports would be open to every process of the node; "
                                  "remove spec.hostNetwork or the annotation {}",
                                  names::kConnectionsAnnotation)};
    }
    if (index_of_named(find_array(pod, {"spec", "containers"}), names::kSidecar) >= 0) {
        return Refuse{
            "ContainerNameTaken",
            fmt::format("spec.containers has a container named \"{}\", which is the name of the sidecar; give "
                        "it another name, or move it to spec.initContainers if it is meant to be the "
                        "sidecar, which then keeps its image, resources and env",
                        names::kSidecar)};
    }
    if (count_of_sidecars(pod) > 1) {
        return Refuse{"ContainerNameTaken",
                      fmt::format("spec.initContainers has more than one container named \"{}\", which is the name of "
                                  "the sidecar; keep one of them",
                                  names::kSidecar)};
    }
    return std::nullopt;
}

/// A local port of ours that a container of the pod declares as its own.
std::optional<Refuse> check_container_ports(const json& pod, const std::vector<ConnectionSpec>& connections) {
    const auto holder_of = [&](const json& port) -> std::string {
        if (port == names::kAdminPort) return "the proxy's admin port";
        for (const auto& connection : connections) {
            if (port == connection.port) return fmt::format("the port of connection \"{}\"", connection.name);
            if (connection.readers_port && port == *connection.readers_port)
                return fmt::format("the readers' port of connection \"{}\"", connection.name);
        }
        return "";
    };
    for (const auto* list : {"containers", "initContainers"}) {
        for (const auto& container : find_array(pod, {"spec", list})) {
            if (find_string(container, {"name"}) == names::kSidecar) continue;
            for (const auto& declared : find_array(container, {"ports"})) {
                const auto* port = find_value(declared, {"containerPort"});
                if (port == nullptr || !port->is_number_integer()) continue;
                const auto holder = holder_of(*port);
                if (holder.empty()) continue;
                return Refuse{"PortClash",
                              fmt::format("container \"{}\" declares containerPort {}, which is {}; change one of them "
                                          "(a connection's port stands behind its name, as in \"{}:PORT\")",
                                          find_string(container, {"name"}), port->get<std::int64_t>(), holder,
                                          connections.front().name)};
            }
        }
    }
    return std::nullopt;
}

}  // namespace

std::string socket_path(std::string_view connection) {
    return fmt::format("{}/{}{}", names::kSocketDir, connection, names::kSocketSuffix);
}

Decision decide(const json& pod) {
    const auto* annotation = find_value(pod, {"metadata", "annotations", names::kConnectionsAnnotation});
    if (annotation == nullptr || !annotation->is_string()) return Untouched{"NotAnnotated"};
    if (find_value(pod, {"metadata", "annotations", "kubernetes.io/config.mirror"}) != nullptr)
        return Untouched{"MirrorPod"};
    if (auto refusal = check_pod(pod)) return std::move(*refusal);

    auto specs = parse_connection_list(annotation->get_ref<const std::string&>());
    if (!specs) return Refuse{to_string(specs.error().reason), std::move(specs.error().message)};
    if (auto refusal = check_container_ports(pod, *specs)) return std::move(*refusal);

    Inject inject;
    inject.has_socket = find_string(pod, {"metadata", "annotations", names::kUnixSocketAnnotation}) == "true";
    for (auto& spec : *specs) {
        const auto key = std::string(names::kSecretAnnotationPrefix) + spec.name;
        const auto* named = find_value(pod, {"metadata", "annotations", key});
        auto secret = named == nullptr ? std::string(names::kConfigMapPrefix) + spec.name
                                       : find_string(pod, {"metadata", "annotations", key});
        if (!is_secret_name(secret)) {
            return Refuse{"BadName", fmt::format("the annotation {} does not hold the name of a Secret (lower-case "
                                                 "letters, digits, '-' and '.'); correct or remove it",
                                                 key)};
        }
        inject.connections.push_back({std::move(spec), std::move(secret)});
    }
    return inject;
}

}  // namespace cvp::op
