#pragma once

#include <chrono>
#include <map>
#include <string>
#include <tuple>

#include "common/token_bucket.hpp"

namespace cvp::op {

/// What an Event says, besides when and about whom. events.k8s.io/v1.
struct EventText {
    bool is_warning = false;
    std::string reason;  ///< CamelCase
    std::string action;  ///< what was being done, CamelCase
    std::string note;    ///< for a human

    auto operator<=>(const EventText&) const = default;
};

/// Decides what becomes of an event, so that nobody's list of events is flooded. Pure; the caller writes.
///
/// The same event again within 10 minutes of the last is counted in the one that is there; beyond 25 at once, and one
/// in 5 minutes after that, events about one object are dropped. What was not heard of for that long is forgotten.
/// @source client-go tools/record: the spam filter's numbers
class EventFilter {
public:
    using TimePoint = SteadyClock::time_point;

    struct Verdict {
        enum class Kind { create, count, drop };
        Kind kind = Kind::drop;
        std::string name;  ///< of the Event to count in
        int count = 1;
    };

    /// @param about uid of the object
    Verdict judge(const std::string& about, const EventText& text, TimePoint now);

    /// The event was stored under that name, or was not ("").
    void stored(const std::string& about, const EventText& text, std::string name);

    /// Objects that are remembered.
    std::size_t size() const { return objects_.size(); }

private:
    struct Series {
        std::string name;
        int count = 1;
        TimePoint last;
    };
    struct Object {
        TokenBucket bucket{1.0 / 300, 25};
        std::map<EventText, Series> series;
        TimePoint last;
    };

    void expire(TimePoint now);

    std::map<std::string, Object> objects_;
    TimePoint next_expiry_{};
};

}  // namespace cvp::op
