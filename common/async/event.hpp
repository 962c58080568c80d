#pragma once

#include <list>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "common/async/asio.hpp"

namespace cvp {

/// Wakes coroutines that wait for something to change. Level-triggered in use: check the condition, wait, check again.
///
/// Owner: whoever changes the condition. It may end before a waiter does: that one then waits for its deadline. One
/// thread.
class Event {
public:
    /// Wakes every coroutine that waits now; a later waiter is not affected.
    void notify_all();

    /// Waits for the next notify_all() or until `deadline` (time_point::max(): for ever).
    /// @return true if notified, false if the deadline came first
    Awaitable<bool> wait_until(SteadyClock::time_point deadline);

    /// Waits for the next notify_all().
    Awaitable<void> wait();

private:
    using Waiters = std::list<asio::steady_timer*>;

    std::shared_ptr<Waiters> waiters_ = std::make_shared<Waiters>();
};

/// Suspends for `duration`: for backoff and periods, never to wait for an event.
Awaitable<void> sleep_for(SteadyClock::duration duration);

}  // namespace cvp
