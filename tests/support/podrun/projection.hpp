#pragma once

#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "common/result.hpp"
#include "tests/support/podrun/pod_spec.hpp"

namespace cvp::test::podrun {

/// One file of a volume.
struct PayloadFile {
    std::string content;
    unsigned mode = 0644;

    bool operator==(const PayloadFile&) const = default;
};

/// Files by path relative to the volume.
using Payload = std::map<std::string, PayloadFile>;

/// The ConfigMap or Secret of that name; null where there is none.
using ObjectLookup = std::function<const nlohmann::json*(VolumeSource::Kind kind, const std::string& name)>;

/// Builds the content of a volume by the kubelet's rules.
///
/// A required object that is missing, or a required key of it, fails the volume as a whole; an optional object or key
/// is passed over; later sources replace files of earlier ones; a path must stay inside the volume.
/// @source pkg/volume/projected, pkg/volume/configmap MakePayload
/// @errors not_found in the kubelet's words, for an event or a log
Result<Payload> project(const VolumeSpec& volume, const std::string& namespace_name, const ObjectLookup& lookup);

}  // namespace cvp::test::podrun
