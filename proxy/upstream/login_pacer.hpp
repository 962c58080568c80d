#pragma once

#include <chrono>
#include <optional>

#include "common/async/asio.hpp"
#include "common/secret.hpp"

namespace cvp::proxy {

/// Spaces the logins of one connection while the server refuses them, over all its clients, so that a thousand waiting
/// clients are not a thousand refused logins a second. Pure.
///
/// A refused or throttled login makes the next wait 1 s, then twice as long up to 30 s; another password than the one
/// that was refused goes at once; a success ends all waiting.
/// @source CONTRACT section 10
class LoginPacer {
public:
    /// Whether `password` may be tried now.
    bool may_try(const Secret& password, SteadyClock::time_point now) const;

    /// A login is being sent.
    void on_sent(SteadyClock::time_point now);
    void on_accepted();
    /// @param password what was refused; nothing: the refusal says nothing about it (throttled)
    void on_refused(std::optional<Secret> password, SteadyClock::time_point now);

    /// Whether a refusal now may yet heal by itself: five minutes from the first login on (access takes its time to
    /// reach the server).
    bool in_grace(SteadyClock::time_point now) const;

private:
    std::optional<SteadyClock::time_point> first_sent_;
    std::optional<Secret> refused_;
    SteadyClock::time_point next_{};
    SteadyClock::duration wait_{};
};

}  // namespace cvp::proxy
