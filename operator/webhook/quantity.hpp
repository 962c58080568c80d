#pragma once

#include <optional>
#include <string_view>

namespace cvp::op {

/// Reads a Kubernetes quantity: "500m", "1.5", "64Mi", "1e3". Exact enough to tell whether two of them are equal.
/// @source k8s.io/apimachinery/pkg/api/resource: `<number><suffix>`, suffix binary, decimal or an exponent
std::optional<long double> parse_quantity(std::string_view text);

}  // namespace cvp::op
