#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "common/clock.hpp"
#include "common/token_bucket.hpp"
#include "operator/runtime/object_key.hpp"

namespace cvp::op {

/// Keys that want work, each at most once. Pure: time is an argument, waiting is the caller's.
///
/// Guarantees: a key that waits is not queued twice, the earlier time wins; a key that was taken is not handed out
/// again before done(), and what was added meanwhile runs once after it. Ready keys come in the order of their times.
/// @source client-go util/workqueue and kube-rs scheduler: the same rules
class WorkQueue {
public:
    using TimePoint = SteadyClock::time_point;

    /// Wants `key` worked on at `when` (now or in the future).
    void add(const ObjectKey& key, TimePoint when);

    /// Wants `key` worked on again after a failure: 5 ms after the first, doubling to 1000 s until forget(), and all
    /// keys together not more often than 10 times a second after the first 100.
    void add_failed(const ObjectKey& key, TimePoint now);

    /// Ends the backoff of a key: its work succeeded.
    void forget(const ObjectKey& key);

    /// Hands out a key that is due, or nothing. The caller must call done() for it.
    std::optional<ObjectKey> take(TimePoint now);

    /// The work on a key that was taken has ended.
    void done(const ObjectKey& key);

    /// When take() can next hand out a key, if nothing is added.
    std::optional<TimePoint> next_due() const;

    std::size_t depth(TimePoint now) const;  ///< keys that are due and wait
    std::size_t in_progress() const { return in_progress_; }

private:
    static constexpr double kRetriesPerSecond = 10;
    static constexpr double kRetriesAtOnce = 100;

    struct Entry {
        std::optional<TimePoint> due;  ///< wanted at; for a taken key: wanted again
        std::uint64_t order = 0;       ///< of adding, for equal times
        bool is_taken = false;
        unsigned failures = 0;
    };
    using Place = std::tuple<TimePoint, std::uint64_t, ObjectKey>;

    void drop_if_idle(const ObjectKey& key);

    std::map<ObjectKey, Entry> entries_;
    std::set<Place> waiting_;  ///< of the keys that are not taken
    TokenBucket retries_{kRetriesPerSecond, kRetriesAtOnce};
    std::uint64_t added_ = 0;
    std::size_t in_progress_ = 0;
};

}  // namespace cvp::op
