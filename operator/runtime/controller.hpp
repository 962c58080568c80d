#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "operator/runtime/reconciler.hpp"
#include "operator/runtime/work_queue.hpp"

namespace cvp::op {

/// Takes keys from a WorkQueue to a Reconciler and decides about retries.
///
/// An error that is_retryable() comes again with the queue's backoff, any other waits for the next change; success ends
/// the backoff. Owner: the App. Its workers run in the App's TaskGroup: stop(), then join the group. One thread.
class Controller {
public:
    /// What it did, for metrics: controller-runtime's names and meanings.
    struct Counters {
        std::uint64_t success = 0;
        std::uint64_t error = 0;
        std::uint64_t terminal_error = 0;  ///< also counted in `error`
        std::uint64_t requeue_after = 0;
        std::uint64_t adds = 0;
        std::uint64_t retries = 0;
        SteadyClock::duration reconcile_time{};  ///< sum
    };

    Controller(std::string name, Reconciler& reconciler) : name_(std::move(name)), reconciler_(reconciler) {}

    /// Starts the workers: so many keys are worked on at a time.
    void start(TaskGroup& tasks, std::size_t workers);

    /// No key is taken from now on; what is in progress ends by itself.
    void stop();

    /// Wants `key` reconciled now.
    void add(const ObjectKey& key);

    const std::string& name() const { return name_; }
    const Counters& counters() const { return counters_; }
    const WorkQueue& queue() const { return queue_; }

private:
    Awaitable<void> work();
    Awaitable<void> reconcile(ObjectKey key);

    std::string name_;
    Reconciler& reconciler_;
    WorkQueue queue_;
    Event wake_;
    Counters counters_;
    bool stopped_ = false;
};

}  // namespace cvp::op
