#pragma once

#include <memory>
#include <string>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"

namespace cvp {

/// Runs named coroutines until they end and counts them, so that a stop can wait for the last one.
///
/// Owner: an App or a server. It may end before its tasks do (they are then on their own). One thread. A task that ends
/// by an exception is a bug: its name and the text are logged at error level and the process aborts.
class TaskGroup {
public:
    explicit TaskGroup(asio::io_context& io) : io_(io), state_(std::make_shared<State>()) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task`. How it is stopped is the task's own matter: close what it waits on, then join().
    void spawn(std::string name, Awaitable<void> task);

    /// Waits until no task runs, or until `deadline`.
    /// @return true if all ended
    Awaitable<bool> join(SteadyClock::time_point deadline);

    std::size_t running() const { return state_->running; }

private:
    struct State {
        std::size_t running = 0;
        Event ended;
    };

    asio::io_context& io_;
    std::shared_ptr<State> state_;  // a task's end is told after its frame, and what it held, are gone
};

}  // namespace cvp
