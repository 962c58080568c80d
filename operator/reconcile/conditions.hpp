#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "operator/api/valkey_connection.hpp"
#include "operator/reconcile/knowledge.hpp"

namespace cvp::op {

/// Types of our conditions. CONTRACT section 6.
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::string_view kResolved = "Resolved";
inline constexpr std::string_view kReconciling = "Reconciling";
inline constexpr std::string_view kStalled = "Stalled";

/// Reason of what needs nobody's doing: not looked at yet, or about to be.
inline constexpr std::string_view kPending = "Pending";

/// How it stands with the ConfigMap.
enum class ConfigMapState {
    none,     ///< there is no document to write yet
    written,  ///< it holds the last good document
    waiting,  ///< one of an earlier connection is about to be removed
    taken,    ///< somebody else's has the name
};

/// The whole status, from what is known: a pure function, so that a restart that knows the same writes nothing.
/// @param before the status as it was written last: gives the transition times and the count of pods
ConnectionStatus build_status(const ValkeyConnection& connection, const Knowledge& known, ConfigMapState config_map,
                              const ConnectionStatus& before, Seconds now);

/// The status of a connection that was never looked at: everything Unknown, so that nobody takes it for ready.
ConnectionStatus build_pending_status(const ValkeyConnection& connection, const ConnectionStatus& before, Seconds now);

/// The status of a spec that this operator cannot read.
ConnectionStatus build_invalid_status(const ValkeyConnection& connection, const std::string& faults,
                                      const ConnectionStatus& before, Seconds now);

/// The refusal that a condition Resolved tells of, or nothing where it is True.
std::optional<providers::Refusal> recover_refusal(const Condition& resolved);

}  // namespace cvp::op
