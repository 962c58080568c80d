#pragma once

#include <nlohmann/json_fwd.hpp>

namespace cvp::op {

/// Merges a container of our name that the user declared into the sidecar: it keeps its image (unless that is absent or
/// "auto"), imagePullPolicy, resources, its env and its extra volumeMounts. Everything else is ours; variables of our
/// names and mounts at our paths are ours. CONTRACT section 4.
///
/// Merging the result once more changes nothing.
nlohmann::json merge_sidecar(nlohmann::json ours, const nlohmann::json& declared);

}  // namespace cvp::op
