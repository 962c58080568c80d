#include "common/async/task_group.hpp"

#include <cstdlib>
#include <exception>

#include <boost/asio/co_spawn.hpp>

#include "common/log/log.hpp"

namespace cvp {

void TaskGroup::spawn(std::string name, Awaitable<void> task) {
    ++state_->running;
    asio::co_spawn(io_, std::move(task), [state = state_, name = std::move(name)](const std::exception_ptr& failure) {
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& e) {
                log::error("a task ended by an exception: this is a bug", {{"task", name}, {"what", e.what()}});
            }
            std::abort();
        }
        --state->running;
        state->ended.notify_all();
    });
}

Awaitable<bool> TaskGroup::join(SteadyClock::time_point deadline) {
    const auto state = state_;
    while (state->running > 0) {
        if (!co_await state->ended.wait_until(deadline) && SteadyClock::now() >= deadline) break;
    }
    co_return state->running == 0;
}

}  // namespace cvp
