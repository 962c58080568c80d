#include "proxy/loop/event_loop.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "proxy/loop/asio_pump.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

struct Pair {
    Pair() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
        ours = Socket(fds[0]);
        theirs = Socket(fds[1]);
    }
    Socket ours, theirs;
};

struct Listener final : Watched, Timed {
    explicit Listener(EventLoop& loop) : watch(loop, *this), timer(loop.timers(), *this) {}
    void on_ready(std::uint32_t events) override {
        ++calls;
        seen |= events;
        then(events);
    }
    std::size_t read_ahead(std::span<char> room) override {
        ++ahead;
        began_with = room.size();
        return 3;
    }
    void on_time(SteadyClock::time_point) override { ++times; }

    Watch watch;
    Timer timer;
    int calls = 0;
    int times = 0;
    int ahead = 0;  ///< calls of read_ahead()
    std::size_t began_with = 0;
    std::uint32_t seen = 0;
    std::function<void(std::uint32_t)> then = [](std::uint32_t) {};
};

/// Two that become readable together.
struct TwoListenersTest : ::testing::Test {
    TwoListenersTest() {
        a.watch.start(one.ours.fd(), EPOLLIN);
        b.watch.start(two.ours.fd(), EPOLLIN);
    }
    void speak_to_both() {
        send(one.theirs, "x");
        send(two.theirs, "x");
        loop.turn();
    }
    void stop_both() { a.watch.stop(), b.watch.stop(); }

    EventLoop loop;
    Pair one, two;
    Listener a{loop}, b{loop};
};

/// Reads all that is there.
std::string take(const Socket& socket) {
    std::array<char, 100> buffer{};
    const auto got = receive(socket, buffer.data(), buffer.size());
    return {buffer.data(), got.bytes};
}

/// One that reads what comes.
struct ReaderTest : ::testing::Test {
    ReaderTest() {
        listener.watch.start(pair.ours.fd(), EPOLLIN);
        listener.then = [this](std::uint32_t) { take(pair.ours); };
    }
    void speak() {
        send(pair.theirs, "x");
        loop.turn();
    }

    EventLoop loop;
    Pair pair;
    Listener listener{loop};
};

TEST(EventLoop, is_level_triggered) {
    EventLoop loop;
    Pair pair;
    Listener listener(loop);
    listener.watch.start(pair.ours.fd(), EPOLLIN);
    loop.turn();
    EXPECT_EQ(listener.calls, 0);
    send(pair.theirs, "x");
    loop.turn();
    loop.turn();
    EXPECT_GE(listener.calls, 2);
    take(pair.ours);
    const int calls = listener.calls;
    loop.turn();
    EXPECT_EQ(listener.calls, calls);
}

TEST_F(TwoListenersTest, both_read_ahead_before_any_is_told) {
    a.then = b.then = [&](std::uint32_t) {
        EXPECT_EQ(a.ahead + b.ahead, 2);
        stop_both();
    };
    speak_to_both();
    EXPECT_EQ(std::max(a.began_with, b.began_with) - std::min(a.began_with, b.began_with), 3u)
        << "the second one writes behind the first";
}

TEST_F(ReaderTest, does_not_read_ahead_where_nobody_else_is_readable) {
    speak();
    EXPECT_EQ(listener.calls, 1);
    EXPECT_EQ(listener.ahead, 0);
}

TEST_F(TwoListenersTest, one_that_was_stopped_in_the_same_batch_is_not_woken) {
    a.then = b.then = [&](std::uint32_t) { stop_both(); };
    speak_to_both();
    EXPECT_EQ(a.calls + b.calls, 1);
}

TEST(EventLoop, does_not_spin_on_a_hangup_while_nothing_is_wanted) {
    EventLoop loop;
    Pair pair;
    Listener listener(loop);
    send(pair.theirs, "last words");
    listener.watch.start(pair.ours.fd(), 0);
    pair.theirs.close();
    loop.turn();
    loop.turn();
    EXPECT_EQ(listener.calls, 1);
    EXPECT_EQ(listener.seen, std::uint32_t{EPOLLHUP});

    listener.then = [&](std::uint32_t) { listener.watch.want(0); };
    listener.watch.want(EPOLLIN);
    loop.turn();
    EXPECT_TRUE(listener.seen & EPOLLIN);
    EXPECT_EQ(take(pair.ours), "last words");
}

TEST(EventLoop, fires_timers_that_were_set_inside_and_outside_a_turn) {
    EventLoop loop;
    Pair pair;
    Listener outside(loop), inside(loop);
    outside.timer.start(SteadyClock::now() + 20ms);
    inside.watch.start(pair.ours.fd(), EPOLLIN);
    inside.then = [&](std::uint32_t) {
        take(pair.ours);
        inside.timer.start(SteadyClock::now() + 5ms);
    };
    send(pair.theirs, "x");
    asio::io_context io;
    AsioPump pump(io, loop);
    const auto until = SteadyClock::now() + 5s;
    while (outside.times + inside.times < 2 && SteadyClock::now() < until)
        io.run_one_for(100ms);
    EXPECT_EQ(outside.times, 1);
    EXPECT_EQ(inside.times, 1);
}

TEST(EventLoop, leaves_asio_its_share_while_it_is_busy) {
    EventLoop loop;
    Pair pair;
    Listener listener(loop);
    listener.watch.start(pair.ours.fd(), EPOLLIN);
    send(pair.theirs, "never read: ready for ever");
    asio::io_context io;
    AsioPump pump(io, loop);
    bool fired = false;
    asio::steady_timer timer(io, 10ms);
    timer.async_wait([&](const boost::system::error_code& ec) { fired = !ec; });
    const auto until = SteadyClock::now() + 5s;
    while (!fired && SteadyClock::now() < until)
        io.run_one_for(100ms);
    EXPECT_TRUE(fired);
    EXPECT_GT(listener.calls, 10);
}

/// The timer that ends a turn would else make the loop ready, the turn that this asks for set it again, and so on.
TEST_F(ReaderTest, leaves_its_loop_at_rest_after_a_turn_until_more_comes) {
    speak();
    EXPECT_EQ(listener.calls, 1);
    pollfd ready{loop.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 20), 0);
    send(pair.theirs, "x");
    EXPECT_EQ(::poll(&ready, 1, 1000), 1);
}

TEST(AsioPump, may_end_while_its_loop_is_ready_and_asio_goes_on) {
    asio::io_context io;
    auto loop = std::make_unique<EventLoop>();
    Pair pair;
    auto listener = std::make_unique<Listener>(*loop);
    listener->watch.start(pair.ours.fd(), EPOLLIN);
    auto pump = std::make_unique<AsioPump>(io, *loop);
    send(pair.theirs, "x");
    asio::steady_timer timer(io, SteadyClock::now());  // due together with the descriptor
    timer.async_wait([&](const boost::system::error_code&) { pump.reset(), listener.reset(), loop.reset(); });
    io.run_for(50ms);
    EXPECT_EQ(loop, nullptr);
}

TEST(EventLoop, retires_disposed_objects_at_once_and_ends_them_after_the_callback_that_gave_them_up) {
    struct Seen {
        bool retired = false;
        bool ended = false;
    };
    struct Noisy final : Disposable {
        explicit Noisy(Seen& seen) : seen_(seen) {}
        ~Noisy() override { seen_.ended = true; }
        void retire() override { seen_.retired = true; }
        Seen& seen_;
    };
    EventLoop loop;
    Pair pair;
    Listener listener(loop);
    Seen within, within_the_call;
    listener.watch.start(pair.ours.fd(), EPOLLIN);
    listener.then = [&](std::uint32_t) {
        take(pair.ours);
        loop.dispose(std::make_unique<Noisy>(within));
        within_the_call = within;
    };
    send(pair.theirs, "x");
    loop.turn();
    EXPECT_TRUE(within_the_call.retired);
    EXPECT_FALSE(within_the_call.ended);
    EXPECT_TRUE(within.ended);

    Seen outside;
    loop.dispose(std::make_unique<Noisy>(outside));
    EXPECT_TRUE(outside.retired);
    EXPECT_FALSE(outside.ended);
    loop.turn();
    EXPECT_TRUE(outside.ended);
}

}  // namespace
}  // namespace cvp::proxy
