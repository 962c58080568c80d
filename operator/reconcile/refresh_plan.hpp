#pragma once

#include <chrono>
#include <optional>

#include "operator/api/valkey_connection.hpp"
#include "operator/reconcile/knowledge.hpp"

namespace cvp::op {

/// Which calls are due for a connection. CONTRACT section 6, "Refresh".
struct RefreshPlan {
    bool instance = false;   ///< instances.get
    bool ca = false;         ///< certificateAuthority
    bool is_urgent = false;  ///< somebody waits for it: first look-up, changed spec, refresh asked for

    bool is_due() const { return instance || ca; }
    bool operator==(const RefreshPlan&) const = default;
};

/// Decides: everything at once for a new connection, a changed spec and a new value of the refresh annotation; else the
/// instance every refreshInterval ± 10 %, the CA with it when it is an hour old, and alone where the interval is
/// longer. After a failure the instance is tried sooner, as retry_delay() says.
RefreshPlan plan_refresh(const ValkeyConnection& connection, const Knowledge& known, Seconds now);

/// When plan_refresh() next has something to do, if nothing changes; never for a self-hosted instance: nobody is asked.
/// Before the first look-up there is no such time: it is due at once, and waits for its turn at the most.
std::optional<Seconds> next_refresh(const ValkeyConnection& connection, const Knowledge& known);

/// How long to wait after the `failures`th failure in a row: doubling from some seconds, never longer than the refresh
/// interval, never shorter than what the cloud asked for.
std::chrono::seconds retry_delay(const providers::Refusal& refusal, unsigned failures,
                                 std::chrono::seconds refresh_interval);

}  // namespace cvp::op
