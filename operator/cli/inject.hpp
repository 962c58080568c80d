#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"
#include "operator/webhook/injection_config.hpp"

namespace cvp::op {

/// What became of a manifest.
struct Injection {
    std::string manifest;            ///< all of its objects, pods and pod templates that ask with their sidecar
    std::vector<std::string> notes;  ///< one sentence for each pod that was looked at, and the webhook's warnings
    bool is_refused = false;         ///< a pod would not be admitted
};

/// `kubectl cloudvalkey inject`: what the webhook does to pods, done to a manifest, by the same code and without a
/// cluster. What comes out may be applied: the webhook then finds nothing left to do.
/// @errors invalid_argument if it cannot be read
Result<Injection> inject_manifest(std::string_view manifest, const InjectionConfig& config);

}  // namespace cvp::op
