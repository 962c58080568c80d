#include "common/async/task_group.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/support/async.hpp"

namespace cvp {
namespace {

using namespace std::chrono_literals;
using test::run;
using test::Started;

Awaitable<void> wait_for(Event& event) {
    co_await event.wait();
}

Awaitable<void> hold(std::shared_ptr<TaskGroup>, Event& event) {
    co_await event.wait();
}

Awaitable<void> throw_at_once() {
    throw std::runtime_error("broken");
    co_return;
}

class TaskGroupTest : public testing::Test {
protected:
    asio::io_context io{1};
    Event event;
};

TEST_F(TaskGroupTest, join_waits_for_the_last_task) {
    TaskGroup tasks(io);
    Event other;
    tasks.spawn("one", wait_for(event));
    tasks.spawn("two", wait_for(other));
    EXPECT_EQ(tasks.running(), 2U);
    Started<bool> joined(io, tasks.join(SteadyClock::now() + 10s));
    io.poll();
    event.notify_all();
    io.restart();
    io.poll();
    EXPECT_EQ(tasks.running(), 1U);
    EXPECT_FALSE(joined.is_done());
    other.notify_all();
    EXPECT_TRUE(joined.get(1s));
    EXPECT_EQ(tasks.running(), 0U);
}

TEST_F(TaskGroupTest, join_gives_up_at_its_deadline) {
    TaskGroup tasks(io);
    tasks.spawn("one", wait_for(event));
    EXPECT_FALSE(run(io, tasks.join(SteadyClock::now() + 20ms)));
    event.notify_all();
    EXPECT_TRUE(run(io, tasks.join(SteadyClock::now() + 1s)));
}

TEST_F(TaskGroupTest, an_empty_group_is_joined_at_once) {
    TaskGroup tasks(io);
    EXPECT_TRUE(run(io, tasks.join(SteadyClock::now() - 1s)));
}

TEST_F(TaskGroupTest, may_be_owned_by_its_own_last_task) {
    auto tasks = std::make_shared<TaskGroup>(io);
    tasks->spawn("self", hold(tasks, event));
    const std::weak_ptr<TaskGroup> weak = tasks;
    tasks.reset();
    io.poll();
    event.notify_all();
    test::wait_until(io, [&] { return weak.expired(); });
}

TEST(TaskGroupDeathTest, a_task_that_throws_ends_the_process_by_name) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            asio::io_context io;
            TaskGroup tasks(io);
            tasks.spawn("renewal", throw_at_once());
            io.run();
        },
        "\"task\":\"renewal\",\"what\":\"broken\"");
}

}  // namespace
}  // namespace cvp
