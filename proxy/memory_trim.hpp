#pragma once

#include <chrono>
#include <cstddef>

#include "common/clock.hpp"

namespace cvp::proxy {

/// Says when it is worth giving the memory of ended sessions back to the system: malloc keeps what was freed, and a
/// sidecar that had many clients for a minute would hold their memory for good. Pure: fed with the count of open
/// sessions, about once a second, while time passes.
///
/// Guarantees: one trim for each time that the count fell to half of the most since the last trim and stayed there for
/// kDelay; none below kFewest, where nothing worth mentioning was freed.
class MemoryTrim {
public:
    /// So that clients that reconnect, all at once, find the memory that they left.
    static constexpr auto kDelay = std::chrono::seconds(10);
    static constexpr std::size_t kFewest = 32;  ///< a session is worth 20 to 40 KiB

    /// @return whether to trim now
    bool is_due(std::size_t open, SteadyClock::time_point now);

private:
    bool is_low_ = false;  ///< at half or less, since low_since_
    SteadyClock::time_point low_since_;
    std::size_t most_ = 0;  ///< since the last trim
};

/// Gives back the pages of the heap that hold nothing. Blocking: a millisecond, some after thousands of sessions.
void trim_memory();

}  // namespace cvp::proxy
