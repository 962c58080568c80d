#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/webhook/injection.hpp"
#include "operator/webhook/injection_config.hpp"

/// The parts that injection adds to a pod. CONTRACT section 3.
namespace cvp::op {

/// Builds the entry of initContainers[]: a native sidecar (restartPolicy Always).
/// @param pod only its securityContext is looked at
nlohmann::json build_sidecar(const nlohmann::json& pod, const Inject& inject, const InjectionConfig& config);

/// Builds the volumes that the sidecar mounts: one per connection, and the empty one that masks the API token.
std::vector<nlohmann::json> build_volumes(const Inject& inject);

/// Builds the value of the annotation cloudvalkey.dev/status, JSON.
std::string build_status(const Inject& inject, const InjectionConfig& config);

}  // namespace cvp::op
