#pragma once

#include <string>
#include <vector>

#include "operator/kube/kubeconfig.hpp"

namespace cvp::test {

/// Where the tests' operator lives.
inline constexpr const char* kOperatorNamespace = "cloud-valkey";

/// Makes the operator's ServiceAccount with the chart's rights; returns its kubeconfig. May be called again, with other
/// arguments for the chart. Throws where it fails.
op::KubeConfig install_operator_account(const std::vector<std::string>& chart_arguments = {});

}  // namespace cvp::test
