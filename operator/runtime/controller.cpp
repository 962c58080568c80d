#include "operator/runtime/controller.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/core.h>

#include "common/log/log.hpp"

namespace cvp::op {
namespace {

/// What is refused as it is will be refused again.
bool is_terminal(const Error& error) {
    return error.code == ErrorCode::invalid_argument;
}

double seconds(SteadyClock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

/// @source client-go and controller-runtime: the same, thinned out
const std::vector<double> Controller::kQueueBuckets{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000};
const std::vector<double> Controller::kReconcileBuckets{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                        1,     2.5,  5,     10,   30,  60};

void Controller::start(TaskGroup& tasks, std::size_t workers) {
    workers_ = workers;
    for (std::size_t i = 0; i < workers; ++i)
        tasks.spawn(name_ + " worker", work());
}

void Controller::stop() {
    stopped_ = true;
    wake_.notify_all();
}

void Controller::add(const ObjectKey& key) {
    ++counters_.adds;
    queue_.add(key, SteadyClock::now());
    wake_.notify_all();
}

Awaitable<void> Controller::work() {
    while (!stopped_) {
        const auto now = SteadyClock::now();
        const auto due = queue_.next_due();
        if (auto key = queue_.take(now)) {
            counters_.queue_seconds.observe(seconds(now - *due));
            co_await reconcile(std::move(*key));
        } else {
            co_await wake_.wait_until(due.value_or(SteadyClock::time_point::max()));
        }
    }
}

Awaitable<void> Controller::reconcile(ObjectKey key) {
    const auto begun = SteadyClock::now();
    begun_[key] = begun;
    const ReconcileRequest request(key, fmt::format("{:016x}", ids_()));
    const auto result = co_await run(request);
    counters_.reconcile_seconds.observe(seconds(SteadyClock::now() - begun));
    begun_.erase(key);
    settle(request, result);
    queue_.done(key);
    wake_.notify_all();
}

Awaitable<Result<ReconcileResult>> Controller::run(const ReconcileRequest& request) {
    try {
        co_return co_await reconciler_.reconcile(request);
    } catch (const std::exception& panic) {
        ++counters_.panic;
        co_return fail(ErrorCode::internal, std::string("a bug: ") + panic.what());
    }
}

void Controller::settle(const ReconcileRequest& key, const Result<ReconcileResult>& result) {
    const auto now = SteadyClock::now();
    if (result) {
        queue_.forget(key);
        if (result->requeue_after) queue_.add(key, now + *result->requeue_after);
        ++(result->requeue_after ? counters_.requeue_after : counters_.success);
        return;
    }
    ++counters_.error;
    const bool again = !is_terminal(result.error());
    if (again) {
        queue_.add_failed(key, now);
        ++counters_.retries;
    } else {
        queue_.forget(key);
        ++counters_.terminal_error;
    }
    log::warn(again ? "reconcile failed, trying again" : "reconcile failed, waiting for a change",
              {{"controller", name_},
               {"reconcileID", key.id},
               {"namespace", key.namespace_name},
               {"name", key.name},
               {"error", to_string(result.error())}});
}

std::vector<SteadyClock::duration> Controller::under_way(SteadyClock::time_point now) const {
    std::vector<SteadyClock::duration> ages;
    for (const auto& [key, begun] : begun_)
        ages.push_back(now - begun);
    std::sort(ages.rbegin(), ages.rend());
    return ages;
}

}  // namespace cvp::op
