#include "operator/runtime/work_queue.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

const WorkQueue::TimePoint kNow(1000s);
const ObjectKey kA{"shop", "a"};
const ObjectKey kB{"shop", "b"};

TEST(WorkQueue, hands_out_keys_in_the_order_of_adding) {
    WorkQueue queue;
    queue.add(kB, kNow);
    queue.add(kA, kNow);
    EXPECT_EQ(queue.take(kNow), kB);
    EXPECT_EQ(queue.take(kNow), kA);
    EXPECT_EQ(queue.take(kNow), std::nullopt);
}

TEST(WorkQueue, holds_a_key_once) {
    WorkQueue queue;
    queue.add(kA, kNow);
    queue.add(kA, kNow);
    EXPECT_EQ(queue.depth(kNow), 1u);
    EXPECT_EQ(queue.take(kNow), kA);
    queue.done(kA);
    EXPECT_EQ(queue.take(kNow), std::nullopt);
}

TEST(WorkQueue, never_hands_out_a_key_that_is_worked_on_and_runs_it_once_afterwards) {
    WorkQueue queue;
    queue.add(kA, kNow);
    EXPECT_EQ(queue.take(kNow), kA);
    queue.add(kA, kNow);
    queue.add(kA, kNow);
    EXPECT_EQ(queue.take(kNow), std::nullopt);
    EXPECT_EQ(queue.next_due(), std::nullopt);
    EXPECT_EQ(queue.in_progress(), 1u);
    queue.done(kA);
    EXPECT_EQ(queue.take(kNow), kA);
    queue.done(kA);
    EXPECT_EQ(queue.take(kNow), std::nullopt);
}

TEST(WorkQueue, lets_the_earlier_time_win) {
    WorkQueue queue;
    queue.add(kA, kNow + 10min);
    queue.add(kA, kNow + 5min);
    queue.add(kA, kNow + 20min);
    EXPECT_EQ(queue.next_due(), kNow + 5min);
    EXPECT_EQ(queue.take(kNow + 5min - 1ms), std::nullopt);
    queue.add(kA, kNow);
    EXPECT_EQ(queue.take(kNow), kA);
    queue.done(kA);
    EXPECT_EQ(queue.take(kNow + 1h), std::nullopt) << "the later times are gone";
}

TEST(WorkQueue, lets_the_earlier_time_win_for_a_key_that_is_worked_on) {
    WorkQueue queue;
    queue.add(kA, kNow);
    queue.take(kNow);
    queue.add(kA, kNow + 10min);
    queue.add(kA, kNow + 1min);
    queue.done(kA);
    EXPECT_EQ(queue.next_due(), kNow + 1min);
}

TEST(WorkQueue, counts_only_what_is_due) {
    WorkQueue queue;
    queue.add(kA, kNow);
    queue.add(kB, kNow + 1s);
    EXPECT_EQ(queue.depth(kNow), 1u);
    EXPECT_EQ(queue.depth(kNow + 1s), 2u);
}

TEST(WorkQueue, backs_off_from_5_ms_to_1000_s_until_it_is_told_to_forget) {
    WorkQueue queue;
    auto now = kNow;
    const auto fail_once = [&] {
        now += 1h;  // so that the bound on all keys is none
        queue.add(kA, now);
        EXPECT_EQ(queue.take(now), kA);
        queue.add_failed(kA, now);
        queue.done(kA);
        const auto due = queue.next_due().value();
        EXPECT_EQ(queue.take(due), kA);
        queue.done(kA);
        return due - now;
    };
    EXPECT_EQ(fail_once(), 5ms);
    EXPECT_EQ(fail_once(), 10ms);
    EXPECT_EQ(fail_once(), 20ms);
    for (int i = 0; i < 100; ++i)
        fail_once();
    EXPECT_EQ(fail_once(), 1000s);
    queue.forget(kA);
    EXPECT_EQ(fail_once(), 5ms);
}

TEST(WorkQueue, bounds_the_retries_of_all_keys_together) {
    WorkQueue queue;
    const auto fail_all = [&](int count) {
        for (int i = 0; i < count; ++i)
            queue.add_failed({"shop", std::to_string(i)}, kNow);
    };
    fail_all(100);
    EXPECT_EQ(queue.depth(kNow + 5ms), 100u) << "their own backoff";
    queue.add_failed(kA, kNow);
    queue.add_failed(kB, kNow);
    EXPECT_EQ(queue.depth(kNow + 99ms), 100u);
    EXPECT_EQ(queue.depth(kNow + 100ms), 101u);
    EXPECT_EQ(queue.depth(kNow + 200ms), 102u);
}

TEST(WorkQueue, lets_a_change_run_before_a_backoff_ends) {
    WorkQueue queue;
    queue.add_failed(kA, kNow);
    queue.add_failed(kB, kNow);
    queue.add(kA, kNow);
    EXPECT_EQ(queue.take(kNow), kA);
    EXPECT_EQ(queue.take(kNow), std::nullopt);
}

TEST(WorkQueue, ignores_the_end_of_work_that_never_began) {
    WorkQueue queue;
    queue.done(kA);
    queue.add(kA, kNow);
    queue.done(kA);
    EXPECT_EQ(queue.in_progress(), 0u);
    EXPECT_EQ(queue.take(kNow), kA);
}

}  // namespace
}  // namespace cvp::op
