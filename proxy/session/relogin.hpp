#pragma once

#include <chrono>
#include <optional>

#include "common/clock.hpp"

namespace cvp::proxy {

/// How old a login may become before the provider ends its connection.
struct AgeLimits {
    SteadyClock::duration earliest = std::chrono::hours(8);  ///< a new login is due at some moment from here
    SteadyClock::duration latest = std::chrono::hours(11);   ///< to here, so that a thousand are not due at once
    SteadyClock::duration deadline = std::chrono::minutes(690);

    bool operator==(const AgeLimits&) const = default;
};

/// When a connection that is logged in must log in again. Pure.
///
/// Whether an AUTH on a connection in use puts the provider's limit off is not known of every provider: it makes the
/// next one due later, but the deadline stays that of the connection's first login.
///
/// A refused login leaves the old one in force: it is tried again after 1 s, then twice as long up to 30 s, until the
/// deadline; by then the connection has to be replaced, or the provider ends it.
/// @source CONTRACT section 10, data-plane 3.3
class Relogin {
public:
    /// @param limits nothing: never due
    explicit Relogin(std::optional<AgeLimits> limits = std::nullopt) : limits_(limits) {}

    /// A new connection logged in.
    /// @param spread from 0 to 1: where between the limits the next one is due
    void on_logged_in(SteadyClock::time_point at, double spread);
    /// It logged in again.
    void on_renewed(SteadyClock::time_point at, double spread);
    void on_refused(SteadyClock::time_point now);
    /// There was nothing to log in with: no token, or one that was refused on another connection just now.
    void on_postponed(SteadyClock::time_point now);
    /// Takes note, once, that the deadline passed without a login.
    /// @return whether it is new
    bool note_missed();

    bool is_due(SteadyClock::time_point now) const { return due_ && now >= *due_; }
    bool is_overdue(SteadyClock::time_point now) const { return deadline_ && now >= *deadline_; }
    bool was_refused() const { return wait_ > SteadyClock::duration{}; }

    /// When is_due() or is_overdue() becomes true next; nothing if it is, or never will.
    std::optional<SteadyClock::time_point> next(SteadyClock::time_point now) const;

private:
    std::optional<AgeLimits> limits_;
    std::optional<SteadyClock::time_point> due_;
    std::optional<SteadyClock::time_point> deadline_;
    SteadyClock::duration wait_{};
    bool is_missed_ = false;
};

}  // namespace cvp::proxy
