#include "operator/runtime/controller.hpp"

#include <utility>

#include "common/log/log.hpp"

namespace cvp::op {

void Controller::start(TaskGroup& tasks, std::size_t workers) {
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
        if (auto key = queue_.take(SteadyClock::now())) {
            co_await reconcile(std::move(*key));
        } else {
            co_await wake_.wait_until(queue_.next_due().value_or(SteadyClock::time_point::max()));
        }
    }
}

Awaitable<void> Controller::reconcile(ObjectKey key) {
    const auto started = SteadyClock::now();
    auto result = co_await reconciler_.reconcile(key);
    const auto now = SteadyClock::now();
    counters_.reconcile_time += now - started;
    if (result) {
        queue_.forget(key);
        if (result->requeue_after) queue_.add(key, now + *result->requeue_after);
        ++(result->requeue_after ? counters_.requeue_after : counters_.success);
    } else {
        ++counters_.error;
        const bool again = is_retryable(result.error());
        if (again) {
            queue_.add_failed(key, now);
            ++counters_.retries;
        } else {
            queue_.forget(key);
            ++counters_.terminal_error;
        }
        log::warn(again ? "reconcile failed, trying again" : "reconcile failed, waiting for a change",
                  {{"controller", name_}, {"object", to_string(key)}, {"error", to_string(result.error())}});
    }
    queue_.done(key);
    wake_.notify_all();
}

}  // namespace cvp::op
