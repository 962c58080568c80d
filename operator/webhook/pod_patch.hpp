#pragma once

#include <nlohmann/json_fwd.hpp>

#include "operator/webhook/injection.hpp"
#include "operator/webhook/injection_config.hpp"

namespace cvp::op {

/// Builds the JSON Patch that gives a pod the sidecar and everything that belongs to it.
///
/// Applied once, it leaves nothing to do: for the patched pod the patch is empty. A pod that merely says that it was
/// injected gets what it lacks.
/// @param pod one for which decide() gave `inject`
nlohmann::json build_pod_patch(const nlohmann::json& pod, const Inject& inject, const InjectionConfig& config);

}  // namespace cvp::op
