#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/contract/resolved_connection.hpp"
#include "common/providers/provider.hpp"
#include "common/rfc3339.hpp"
#include "operator/api/valkey_connection.hpp"

namespace cvp::op {

/// What is known of one connection's instance: the reconciler's memory, and nothing that a restart cannot find again in
/// the object's status and its ConfigMap.
struct Knowledge {
    std::string uid;                      ///< of the ValkeyConnection that this is about
    std::int64_t generation = 0;          ///< that the last look-up was for; 0: never looked up
    std::string handled_refresh;          ///< value of the refresh annotation that it answered
    std::optional<Seconds> last_refresh;  ///< when it was, successful or not
    unsigned failures = 0;                ///< look-ups that failed in a row
    double jitter = 1.0;                  ///< on the time to the next one: 0.9 to 1.1

    std::optional<ResolvedConnection> good;     ///< what the ConfigMap is to hold: the last good document
    std::optional<providers::Refusal> refusal;  ///< why the last look-up failed

    std::string ca_pem;                   ///< last good, of `ca_target`
    std::string ca_target;                ///< where it came from; "": not known any more
    std::optional<Seconds> ca_refreshed;  ///< when

    bool was_looked_up() const { return last_refresh.has_value(); }
};

/// Finds again what an earlier process knew.
/// @param config_map our ConfigMap as it is now, or nullptr; a document that somebody edited is not believed
Knowledge recover_knowledge(const ValkeyConnection& connection, const nlohmann::json* config_map);

/// Takes the outcome of a look-up: a document replaces the last good one, and is dated `now` where it says something
/// new; a refusal alone leaves it.
void learn(Knowledge& known, const ValkeyConnection& connection, providers::Outcome outcome, Seconds now);

}  // namespace cvp::op
