#pragma once

#include <string>
#include <vector>

#include "operator/cli/finding.hpp"
#include "operator/cli/kubectl.hpp"

namespace cvp::op {

/// `kubectl cloudvalkey doctor NAME`: what is wrong with a connection, the fault first.
///
/// What the operator found stands in the conditions. What only a pod can find (its own identity, its network) is asked
/// of a pod that has the connection's sidecar: `cloud-valkey-proxy doctor -o json` runs there, in the sidecar's
/// container, beside the proxy.
/// @return at least one finding
std::vector<Finding> examine_connection(Kubectl& kubectl, const std::string& name_space, const std::string& name);

}  // namespace cvp::op
