#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/webhook/injection.hpp"
#include "operator/webhook/injection_config.hpp"

/// The parts that injection adds to a pod. CONTRACT section 3.
namespace cvp::op {

/// Where the API server mounts the pod's token unless a mount is there already. The sidecar has no use for it.
inline constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Builds the entry of initContainers[]: a native sidecar (restartPolicy Always).
/// @param pod its securityContext and the resources of its containers are looked at
nlohmann::json build_sidecar(const nlohmann::json& pod, const Inject& inject, const InjectionConfig& config);

/// Builds the volumes that the sidecar mounts: one per connection, the empty one that masks the API token, and the one
/// for the sockets where they are asked for.
std::vector<nlohmann::json> build_volumes(const Inject& inject);

/// Builds the mount of the sockets' directory in a container of the application. It cannot be written to: connecting
/// needs no right to write, and a socket that is replaced would be a man in the middle.
nlohmann::json build_socket_mount();

/// Builds the value of the annotation cloudvalkey.dev/status, JSON.
/// @param image what the sidecar runs, which the user may have chosen
std::string build_status(const Inject& inject, const std::string& image, const InjectionConfig& config);

}  // namespace cvp::op
