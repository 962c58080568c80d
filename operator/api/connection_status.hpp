#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/api/condition.hpp"
#include "operator/api/pod_status.hpp"

namespace cvp::op {

/// status.resolved: the document in short.
struct ResolvedSummary {
    std::string instance;              ///< full name
    std::string endpoint;              ///< "10.0.0.3:6379"
    std::vector<std::string> readers;  ///< "10.0.0.4:6379"
    std::string topology;              ///< "Standalone", "Cluster"
    std::string tls;                   ///< "Required", "Disabled"
    std::string auth;                  ///< "GoogleIAM", "Password", "None"

    bool operator==(const ResolvedSummary&) const = default;
};

/// status: what the operator found. Empty strings are left out. Times are RFC 3339.
struct ConnectionStatus {
    std::int64_t observed_generation = 0;
    std::vector<Condition> conditions;
    ResolvedSummary resolved;
    std::string ca_expires_at;
    std::string last_refresh_time;     ///< last look-up, successful or not
    std::string last_handled_refresh;  ///< value of the refresh annotation that the last look-up answered
    std::string config_map;
    std::optional<PodStatus> pods;  ///< nothing: not counted yet

    bool operator==(const ConnectionStatus&) const = default;
};

/// Reads `status` of an object; what is absent or odd is empty.
ConnectionStatus read_connection_status(const nlohmann::json& object);

/// `status` as JSON, conditions in the order given.
nlohmann::json write_connection_status(const ConnectionStatus& status);

}  // namespace cvp::op
