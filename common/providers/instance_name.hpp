#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace cvp::providers {

/// Name of a Google instance: "projects/PROJECT/locations/LOCATION/instances/INSTANCE".
struct InstanceName {
    std::string project;
    std::string location;  ///< a region
    std::string instance;

    /// "projects/p/locations/us-central1/instances/my-valkey".
    std::string full() const;

    bool operator==(const InstanceName&) const = default;
};

/// Whether `name` says only the instance, so that project and location must come from elsewhere.
bool is_short_name(std::string_view name);

/// Reads "my-valkey", which needs `project` and `location`, or a full name, which needs neither. Every part is checked,
/// so the name may stand in a URL as it is.
/// @errors invalid_argument, naming the part and the form it must have
Result<InstanceName> parse_instance_name(std::string_view name, std::string_view project, std::string_view location);

}  // namespace cvp::providers
