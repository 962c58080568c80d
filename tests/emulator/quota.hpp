#pragma once

#include <deque>
#include <map>
#include <string>

#include "common/async/asio.hpp"

namespace cvp::emulator {

/// 60 calls per project in any minute, when it is on: the quota of Memorystore for Valkey.
class Quota {
public:
    static constexpr std::size_t kCallsPerMinute = 60;

    void limit(bool on) { limited_ = on; }
    bool is_limited() const { return limited_; }

    /// Counts a call, and says whether it is within the quota. A refused call does not count.
    bool admit(const std::string& project, SystemClock::time_point now) {
        auto& calls = calls_[project];
        while (!calls.empty() && calls.front() <= now - std::chrono::minutes(1))
            calls.pop_front();
        if (limited_ && calls.size() >= kCallsPerMinute) return false;
        calls.push_back(now);
        return true;
    }

private:
    bool limited_ = false;
    std::map<std::string, std::deque<SystemClock::time_point>> calls_;
};

}  // namespace cvp::emulator
