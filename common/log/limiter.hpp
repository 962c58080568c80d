#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/clock.hpp"

namespace cvp::log {

/// Bounds how often one sentence is written: `kAtOnce` times a second each; the next line after that says how many were
/// left out. Sentences are constants of the program, so their number is bounded too. Pure.
class Limiter {
public:
    static constexpr std::uint64_t kAtOnce = 20;
    static constexpr SteadyClock::duration kWindow = std::chrono::seconds(1);

    /// @return nothing: leave this line out; else how many were left out before it
    std::optional<std::uint64_t> pass(std::string_view sentence, SteadyClock::time_point now) {
        auto found = windows_.find(sentence);
        if (found == windows_.end()) found = windows_.emplace(std::string(sentence), Window{now, 0, 0}).first;
        auto& window = found->second;
        if (now - window.began >= kWindow) {
            window.began = now;
            window.written = 0;
        }
        if (window.written >= kAtOnce) {
            ++window.left_out;
            return std::nullopt;
        }
        ++window.written;
        return std::exchange(window.left_out, 0);
    }

private:
    struct Window {
        SteadyClock::time_point began;
        std::uint64_t written;
        std::uint64_t left_out;
    };
    std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace cvp::log
