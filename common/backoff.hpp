#pragma once

#include <algorithm>
#include <chrono>

namespace cvp {

/// Delays between tries: the first, then doubling up to a limit. Pure; the caller waits.
class Backoff {
public:
    constexpr Backoff(std::chrono::milliseconds first, std::chrono::milliseconds limit)
        : first_(first), limit_(limit), next_(first) {}

    /// The delay before the next try.
    constexpr std::chrono::milliseconds next() {
        const auto delay = next_;
        next_ = std::min(limit_, next_ * 2);
        return delay;
    }

    /// Starts again from the first delay: call it on success.
    constexpr void reset() { next_ = first_; }

private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds limit_;
    std::chrono::milliseconds next_;
};

}  // namespace cvp
