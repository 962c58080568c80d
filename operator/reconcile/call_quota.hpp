#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/async/asio.hpp"
#include "operator/runtime/object_key.hpp"

namespace cvp::op {

/// Keeps calls of a cloud's API within its quota, per project: in any 60 s at most so many, and few at a time, so that
/// one project's slow answers never occupy whoever works for the others. The 60 s are the cloud's: a call counts until
/// 60 s after its answer, because nobody knows when before that the cloud has counted it.
///
/// A project whose call failed for a reason that is not the call's own (429, 5xx, no answer) pauses, ever longer; then
/// one call at a time probes it until one succeeds. Other projects do not notice.
/// Guarantees: urgent callers (first look-ups, edits) come before refreshes, and within each class whoever asked first
/// comes first, so that none starves. Pure: time is an argument, waiting is the caller's, who asks again.
/// @source cloud.google.com/memorystore/docs/valkey/quotas: 60 a minute per project for everybody in it
class CallQuota {
public:
    using TimePoint = SteadyClock::time_point;

    explicit CallQuota(std::size_t calls_per_minute = 54) : per_minute_(calls_per_minute) {}

    /// Wants `calls` calls of `project` for `key`, which has none under way.
    /// @return nothing: go ahead, they are counted, and succeeded() or failed() must follow; else how long to wait
    /// before asking again. The place in the line is
    ///         kept for who asks again within a minute of that time.
    std::optional<SteadyClock::duration> acquire(const std::string& project, const ObjectKey& key, std::size_t calls,
                                                 bool is_urgent, TimePoint now);

    /// Counts one more call of what is under way for `key`.
    void charge(const std::string& project, const ObjectKey& key);

    /// Gives back a call that was acquired for `key` and not made.
    void refund(const std::string& project, const ObjectKey& key);

    /// Leaves all lines: the object is gone.
    void forget(const ObjectKey& key);

    /// What was acquired for `key` has ended, and the cloud works.
    void succeeded(const std::string& project, const ObjectKey& key, TimePoint now);

    /// What was acquired for `key` has ended, and the cloud of this project does not work or wants no calls.
    /// @param pause at least so long; what it doubles to is longer after some failures in a row
    void failed(const std::string& project, const ObjectKey& key, SteadyClock::duration pause, TimePoint now);

private:
    struct Waiter {
        ObjectKey key;
        std::size_t calls = 0;
        TimePoint expected;  ///< when it was told to ask again
    };
    struct Project {
        std::deque<TimePoint> ended;                 ///< calls that were answered in the last 60 s
        std::map<ObjectKey, std::size_t> under_way;  ///< acquired and not ended: how many calls
        std::vector<Waiter> urgent;
        std::vector<Waiter> refreshes;
        TimePoint paused_until;
        TimePoint probe_until;  ///< a probe is on its way: nobody else until then
        unsigned failures = 0;  ///< in a row
    };

    static void tidy(Project& project, TimePoint now);
    static void end(Project& project, const ObjectKey& key, TimePoint now);
    SteadyClock::duration time_until_free(const Project& project, std::size_t calls, TimePoint now) const;

    std::size_t per_minute_;
    std::map<std::string, Project> projects_;
};

}  // namespace cvp::op
