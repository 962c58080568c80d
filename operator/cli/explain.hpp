#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/cli/finding.hpp"

namespace cvp::op {

/// `kubectl cloudvalkey explain`: why a pod was, or was not, injected, rule by rule in the order in which they are
/// asked; the last finding says what became of it.
/// @param object a Pod as the API server has it, or a workload with a pod template
std::vector<Finding> explain(const nlohmann::json& object);

}  // namespace cvp::op
