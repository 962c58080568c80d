#pragma once

#include <algorithm>
#include <chrono>

#include "common/clock.hpp"

namespace cvp {

/// Spreads actions over time: so many a second on average, so many at once. Pure; the caller waits.
///
/// Whoever takes a token takes it for good, also one that is not there yet: waiters come in the order of asking.
class TokenBucket {
public:
    using TimePoint = SteadyClock::time_point;

    TokenBucket(double per_second, double burst)
        : interval_(std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(1 / per_second))),
          burst_(interval_ * static_cast<SteadyClock::rep>(burst)) {}

    /// Takes one token.
    /// @return how long to wait before the action, zero: none at all
    SteadyClock::duration take(TimePoint now) {
        next_ = std::max(next_, now - burst_) + interval_;
        return std::max(next_ - now, SteadyClock::duration::zero());
    }

    /// Gives no token out before `until`.
    void pause(TimePoint until) { next_ = std::max(next_, until); }

private:
    SteadyClock::duration interval_;
    SteadyClock::duration burst_;
    TimePoint next_ = TimePoint::min();  ///< when the next token is there, if none is left
};

}  // namespace cvp
