#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "common/async/asio.hpp"

namespace cvp::test {

/// Runs `io` until `condition()` holds. The condition is looked at after each handler and every 10 ms, because it may
/// depend on other processes.
/// @return whether it did within `limit`, and before `io` ran out of work
template <class Condition>
bool run_until(asio::io_context& io, Condition condition, SteadyClock::duration limit = std::chrono::seconds(10)) {
    const auto deadline = SteadyClock::now() + limit;
    while (!condition() && SteadyClock::now() < deadline) {
        io.restart();
        io.run_one_for(std::chrono::milliseconds(10));
        if (io.stopped()) break;
    }
    return condition();
}

/// The same where nothing can go on without it: throws std::runtime_error if it does not hold within `limit`.
template <class Condition>
void wait_until(asio::io_context& io, Condition condition, SteadyClock::duration limit = std::chrono::seconds(10)) {
    if (!run_until(io, std::move(condition), limit)) throw std::runtime_error("the test waited too long");
}

/// A coroutine that a test started and whose result it takes later. May end before the coroutine does.
template <class T>
class Started {
public:
    Started(asio::io_context& io, Awaitable<T> task) : io_(io) {
        asio::co_spawn(io, std::move(task), [outcome = outcome_](std::exception_ptr thrown, T value) {
            outcome->failure = thrown;
            outcome->value.emplace(std::move(value));
        });
    }

    bool is_done() const { return outcome_->value.has_value(); }

    /// Runs the loop until it ends. Throws what it threw, and std::runtime_error when it takes longer than `limit`.
    T get(SteadyClock::duration limit = std::chrono::seconds(10)) {
        wait_until(
            io_, [&] { return is_done(); }, limit);
        if (outcome_->failure) std::rethrow_exception(outcome_->failure);
        return std::move(*outcome_->value);
    }

private:
    struct Outcome {
        std::exception_ptr failure;
        std::optional<T> value;
    };

    asio::io_context& io_;
    std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
};

/// Runs one coroutine to its end, and whatever else is on that loop meanwhile; throws as Started::get().
template <class T>
T run(asio::io_context& io, Awaitable<T> task, SteadyClock::duration limit = std::chrono::seconds(30)) {
    return Started<T>(io, std::move(task)).get(limit);
}

inline Awaitable<bool> then_true(Awaitable<void> task) {
    co_await std::move(task);
    co_return true;
}

inline void run(asio::io_context& io, Awaitable<void> task, SteadyClock::duration limit = std::chrono::seconds(30)) {
    Started<bool>(io, then_true(std::move(task))).get(limit);
}

}  // namespace cvp::test
