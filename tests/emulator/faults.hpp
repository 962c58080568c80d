#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::emulator {

/// What shall go wrong, for how many calls, and for which.
struct Fault {
    unsigned status = 0;                 ///< answer this instead; 0: only delay
    std::string reason;                  ///< which form of the error, where a status has several ("SERVICE_DISABLED")
    std::chrono::milliseconds delay{0};  ///< before the answer
    std::optional<int> remaining;        ///< how many calls are still hit; nullopt: until cleared
    std::string kind;                    ///< only calls of this kind; empty: all
    std::optional<int> retry_after_seconds;  ///< adds a Retry-After header
};

/// What the faults make of one call.
struct Disturbance {
    std::chrono::milliseconds delay{0};
    std::optional<Fault> error;
};

/// The faults of one surface, in the order in which they were asked for.
class Faults {
public:
    void add(Fault fault) { faults_.push_back(std::move(fault)); }
    void clear() { faults_.clear(); }

    /// Counts one call of that kind against the faults that fit: delays add up, the first error wins.
    Disturbance take(std::string_view kind);

    const std::vector<Fault>& active() const { return faults_; }

private:
    std::vector<Fault> faults_;
};

}  // namespace cvp::emulator
