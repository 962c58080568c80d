#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "common/clock.hpp"

namespace cvp::proxy {

/// How many connections are kept ready for clients that are still to come, and how long each. Pure.
/// @source data-plane-verified 2.10
class SparePolicy {
public:
    static constexpr std::size_t kBusy = 4;
    static constexpr SteadyClock::duration kBusyTime = std::chrono::seconds(60);
    static constexpr SteadyClock::duration kLife = std::chrono::minutes(8);

    /// @param usual kept all the time; 0: never any
    explicit SparePolicy(std::size_t usual) : usual_(usual) {}

    /// A client came and found none.
    void on_wait(SteadyClock::time_point now) { last_wait_ = now; }

    std::size_t wanted(SteadyClock::time_point now) const {
        if (usual_ == 0) return 0;
        const bool is_busy = last_wait_ && now - *last_wait_ < kBusyTime;
        return is_busy && usual_ < kBusy ? kBusy : usual_;
    }

    /// How long one that is new is kept: 8 min, give or take a tenth.
    /// @param spread from 0 to 1
    static SteadyClock::duration life(double spread) {
        const auto factor = 0.9 + 0.2 * spread;
        return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(kLife) * factor);
    }

private:
    std::size_t usual_;
    std::optional<SteadyClock::time_point> last_wait_;
};

}  // namespace cvp::proxy
