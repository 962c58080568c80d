#pragma once

#include <nlohmann/json_fwd.hpp>

namespace cvp::op {

/// Resources of a sidecar whose pod does not say them itself: small requests, chosen so that the pod keeps its quality
/// of service.
///
/// Where every other container of the pod is Guaranteed the limits equal the requests. Where the pod has pod-level
/// resources there are none: the sidecar takes its share of the pod's, which may equal what the application asks for.
/// @return an object, empty for none
nlohmann::json build_resources(const nlohmann::json& pod);

}  // namespace cvp::op
