#pragma once

#include <optional>

#include "common/async/asio.hpp"
#include "proxy/session/local_error.hpp"

namespace cvp::proxy {

/// What past dials say about an upstream: whether new clients are made to wait for it, and when it is dialled next
/// without a client, as proof. Pure.
///
/// Cool-down: starts when a client's hold ended without success; from then on new clients are answered at once. The
/// first successful dial ends it.
/// Proofs: one at once, then 45 s after the newest success of any dial; after failures every 250 ms, 500 ms, 1 s, 2 s.
/// @source data-plane-verified 2.1
class Health {
public:
    explicit Health(SteadyClock::time_point now) : next_proof_(now) {}

    void on_success(SteadyClock::time_point now);
    void on_failure(LocalError error);
    /// That failure was a proof's.
    void on_proof_failed(SteadyClock::time_point now);
    /// A client waited in vain, because of `error`.
    void on_vain_hold(LocalError error, SteadyClock::time_point now);

    /// What new clients are answered with, while the cool-down lasts.
    const std::optional<LocalError>& cooldown() const { return cooldown_; }
    SteadyClock::time_point next_proof() const { return next_proof_; }
    /// Whether the newest proof failed, so that the next one waits.
    bool is_failing() const { return wait_ > SteadyClock::duration{}; }

private:
    std::optional<LocalError> cooldown_;
    SteadyClock::time_point next_proof_;
    SteadyClock::duration wait_{};
};

}  // namespace cvp::proxy
