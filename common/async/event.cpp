#include "common/async/event.hpp"

#include <boost/asio/this_coro.hpp>

namespace cvp {
namespace {

/// Keeps a timer in the list while its coroutine waits; also when the coroutine is destroyed where it waits.
class Entry {
public:
    Entry(std::shared_ptr<std::list<asio::steady_timer*>> list, asio::steady_timer& timer)
        : list_(std::move(list)), place_(list_->insert(list_->end(), &timer)) {}
    ~Entry() { list_->erase(place_); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

private:
    std::shared_ptr<std::list<asio::steady_timer*>> list_;
    std::list<asio::steady_timer*>::iterator place_;
};

}  // namespace

void Event::notify_all() {
    for (auto* timer : *waiters_)
        timer->cancel();
}

Awaitable<bool> Event::wait_until(SteadyClock::time_point deadline) {
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, deadline);
    const Entry entry(waiters_, timer);
    boost::system::error_code ec;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_return ec == asio::error::operation_aborted;
}

Awaitable<void> Event::wait() {
    co_await wait_until(SteadyClock::time_point::max());
}

Awaitable<void> sleep_for(SteadyClock::duration duration) {
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, duration);
    boost::system::error_code ec;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
}

}  // namespace cvp
