#include "proxy/loop/timer_queue.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kStart{1h};

struct Recorder final : Timed {
    Recorder(std::string& heard, char mark) : heard_(heard), mark_(mark) {}
    void on_time(SteadyClock::time_point) override {
        heard_ += mark_;
        then();
    }

    std::string& heard_;
    char mark_;
    std::function<void()> then = [] {};
};

TEST(TimerQueue, fires_what_is_due_and_the_earliest_first) {
    TimerQueue queue;
    std::string heard;
    Recorder a(heard, 'a'), b(heard, 'b'), c(heard, 'c');
    Timer later(queue, a), sooner(queue, b), last(queue, c);
    later.start(kStart + 2s);
    sooner.start(kStart + 1s);
    last.start(kStart + 3s);

    EXPECT_EQ(queue.next(), kStart + 1s);
    queue.run(kStart);
    EXPECT_EQ(heard, "");
    queue.run(kStart + 2s);
    EXPECT_EQ(heard, "ba");
    EXPECT_EQ(queue.next(), kStart + 3s);
}

TEST(TimerQueue, a_timer_fires_once_and_only_at_its_newest_deadline) {
    TimerQueue queue;
    std::string heard;
    Recorder a(heard, 'a');
    Timer timer(queue, a);
    timer.start(kStart + 1s);
    timer.start(kStart + 5s);
    queue.run(kStart + 4s);
    EXPECT_EQ(heard, "");
    queue.run(kStart + 5s);
    queue.run(kStart + 6s);
    EXPECT_EQ(heard, "a");
    EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(TimerQueue, a_timer_may_stop_or_end_another_while_it_fires) {
    TimerQueue queue;
    std::string heard;
    Recorder a(heard, 'a'), b(heard, 'b'), c(heard, 'c');
    Timer first(queue, a), stopped(queue, b);
    std::optional<Timer> ended(std::in_place, queue, c);
    first.start(kStart);
    stopped.start(kStart);
    ended->start(kStart);
    a.then = [&] {
        stopped.stop();
        ended.reset();
    };
    queue.run(kStart);
    EXPECT_EQ(heard, "a");
}

TEST(TimerQueue, a_timer_that_starts_itself_again_fires_when_it_is_due) {
    TimerQueue queue;
    std::string heard;
    Recorder a(heard, 'a');
    Timer timer(queue, a);
    a.then = [&] { timer.start(kStart + 10s); };
    timer.start(kStart);
    queue.run(kStart + 1s);
    EXPECT_EQ(heard, "a");
    EXPECT_EQ(queue.next(), kStart + 10s);
}

TEST(TimerQueue, tells_when_the_earliest_deadline_moves_forward) {
    int earlier = 0;
    TimerQueue queue([&] { ++earlier; });
    std::string heard;
    Recorder a(heard, 'a');
    Timer one(queue, a), two(queue, a);
    one.start(kStart + 2s);
    EXPECT_EQ(earlier, 1);
    two.start(kStart + 3s);
    EXPECT_EQ(earlier, 1);
    two.set(kStart + 1s);
    EXPECT_EQ(earlier, 2);
    two.set(kStart + 1s);
    EXPECT_EQ(earlier, 2);
    two.set(std::nullopt);
    EXPECT_EQ(queue.next(), kStart + 2s);
}

}  // namespace
}  // namespace cvp::proxy
