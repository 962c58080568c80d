#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "common/metrics/histogram.hpp"
#include "operator/runtime/reconciler.hpp"
#include "operator/runtime/work_queue.hpp"

namespace cvp::op {

/// Takes keys from a WorkQueue to a Reconciler and decides about retries.
///
/// An error comes again with the queue's backoff; only invalid_argument waits for the next change, because the same
/// would be refused again. Success ends the backoff. An exception is a bug: it is counted, logged and tried again like
/// an error, so that one odd object does not stop the others. Owner: the App. Its workers run in the App's TaskGroup:
/// stop(), then join the group. One thread.
class Controller {
public:
    /// What it did, for metrics: controller-runtime's names and meanings.
    struct Counters {
        std::uint64_t success = 0;
        std::uint64_t error = 0;
        std::uint64_t terminal_error = 0;  ///< also counted in `error`
        std::uint64_t panic = 0;           ///< also counted in `error`
        std::uint64_t requeue_after = 0;
        std::uint64_t adds = 0;
        std::uint64_t retries = 0;
        metrics::Histogram queue_seconds{kQueueBuckets};          ///< from when a key was due to when it was taken
        metrics::Histogram reconcile_seconds{kReconcileBuckets};  ///< of one pass
    };

    Controller(std::string name, Reconciler& reconciler) : name_(std::move(name)), reconciler_(reconciler) {}

    /// Starts the workers: so many keys are worked on at a time.
    void start(TaskGroup& tasks, std::size_t workers);

    /// No key is taken from now on; what is in progress ends by itself.
    void stop();

    /// Wants `key` reconciled now.
    void add(const ObjectKey& key);

    /// How long the passes that are under way take, the longest first.
    std::vector<SteadyClock::duration> under_way(SteadyClock::time_point now) const;
    std::size_t workers() const { return workers_; }

    const std::string& name() const { return name_; }
    const Counters& counters() const { return counters_; }
    const WorkQueue& queue() const { return queue_; }

private:
    static const std::vector<double> kQueueBuckets;
    static const std::vector<double> kReconcileBuckets;

    Awaitable<void> work();
    Awaitable<void> reconcile(ObjectKey key);
    Awaitable<Result<ReconcileResult>> run(const ReconcileRequest& request);
    void settle(const ReconcileRequest& key, const Result<ReconcileResult>& result);

    std::string name_;
    Reconciler& reconciler_;
    WorkQueue queue_;
    Event wake_;
    Counters counters_;
    std::map<ObjectKey, SteadyClock::time_point> begun_;  ///< passes that are under way
    std::mt19937_64 ids_{std::random_device{}()};
    std::size_t workers_ = 0;
    bool stopped_ = false;
};

}  // namespace cvp::op
