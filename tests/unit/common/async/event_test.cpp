#include "common/async/event.hpp"

#include <gtest/gtest.h>

#include "tests/support/async.hpp"

namespace cvp {
namespace {

using namespace std::chrono_literals;
using test::run;
using test::Started;

class EventTest : public testing::Test {
protected:
    asio::io_context io{1};
    Event event;
};

TEST_F(EventTest, wakes_all_that_wait_now) {
    Started<bool> one(io, event.wait_until(SteadyClock::now() + 10s));
    Started<bool> two(io, event.wait_until(SteadyClock::time_point::max()));
    io.poll();
    EXPECT_FALSE(one.is_done());
    event.notify_all();
    EXPECT_TRUE(one.get(1s));
    EXPECT_TRUE(two.get(1s));
}

TEST_F(EventTest, does_not_wake_who_comes_later) {
    event.notify_all();
    EXPECT_FALSE(run(io, event.wait_until(SteadyClock::now() + 20ms)));
}

TEST_F(EventTest, gives_up_at_the_deadline) {
    const auto begin = SteadyClock::now();
    EXPECT_FALSE(run(io, event.wait_until(begin + 30ms)));
    EXPECT_GE(SteadyClock::now(), begin + 30ms);
    EXPECT_FALSE(run(io, event.wait_until(begin - 1s))) << "a deadline that is past";
}

Awaitable<int> count_wakes(Event& event, int until) {
    int wakes = 0;
    while (wakes < until) {
        co_await event.wait();
        ++wakes;
    }
    co_return wakes;
}

TEST_F(EventTest, wakes_a_waiter_again_and_again) {
    Started<int> counter(io, count_wakes(event, 3));
    for (int i = 0; i < 3; ++i) {
        io.restart();
        io.poll();
        EXPECT_FALSE(counter.is_done());
        event.notify_all();
    }
    EXPECT_EQ(counter.get(1s), 3);
}

TEST_F(EventTest, may_end_before_its_waiter) {
    auto shorter = std::make_unique<Event>();
    Started<bool> waiter(io, shorter->wait_until(SteadyClock::now() + 20ms));
    io.poll();
    shorter.reset();
    EXPECT_FALSE(waiter.get(1s));
}

TEST(EventLifetime, a_waiter_that_ends_with_its_loop_is_forgotten) {
    Event event;
    {
        asio::io_context io;
        Started<bool> waiter(io, event.wait_until(SteadyClock::time_point::max()));
        io.poll();
    }
    event.notify_all();  // AddressSanitizer is the judge
}

TEST_F(EventTest, sleep_takes_its_time) {
    const auto begin = SteadyClock::now();
    run(io, sleep_for(20ms));
    EXPECT_GE(SteadyClock::now(), begin + 20ms);
}

}  // namespace
}  // namespace cvp
