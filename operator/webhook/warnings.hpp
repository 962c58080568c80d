#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/webhook/injection.hpp"

namespace cvp::op {

/// What the person who applies a pod should know although it is no reason to refuse it: keys under cloudvalkey.dev/
/// that have no effect, and values that mean nothing. At most 8, of at most 256 characters each.
/// @param inject where the pod is injected, else nullptr
std::vector<std::string> collect_warnings(const nlohmann::json& pod, const Inject* inject);

}  // namespace cvp::op
