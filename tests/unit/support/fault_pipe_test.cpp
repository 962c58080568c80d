#include "tests/support/fault_pipe.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "tests/support/byte_stream.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/raw_peer.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

/// A server that sends back what it gets, in a thread of its own, and a pipe before it.
class FaultPipeTest : public ::testing::Test {
protected:
    FaultPipeTest() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}

    ByteStream connect() { return ByteStream::connect_tcp("127.0.0.1", pipe_.port(), 5s).value(); }

    /// Reads until `size` bytes are there or the stream is over.
    static std::string take(ByteStream& stream, std::size_t size, ByteStream::Limit limit = 5s) {
        std::string all;
        while (all.size() < size) {
            const auto piece = stream.read_some(limit);
            if (!piece || piece->empty()) break;
            all += *piece;
        }
        return all;
    }

    asio::io_context io_{1};
    RawListener listener_{io_};
    FaultPipe pipe_{listener_.port()};

private:
    void serve(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            io_.run_for(5ms);
            for (const auto& peer : listener_.peers()) {
                peer->write(std::exchange(peer->received, ""));
                if (peer->has_ended) peer->finish_writing();
            }
        }
    }

    std::jthread thread_;
};

TEST_F(FaultPipeTest, passes_all_bytes_and_the_end_on) {
    auto stream = connect();
    const std::string text(200'000, 'x');
    ASSERT_TRUE(stream.write_all(text, 5s));
    EXPECT_EQ(take(stream, text.size()), text);
    stream.finish_writing();
    EXPECT_EQ(stream.read_some(5s).value_or("error"), "");
    EXPECT_EQ(pipe_.bytes_up(), text.size());
    EXPECT_EQ(pipe_.bytes_down(), text.size());
    EXPECT_TRUE(eventually([&] { return pipe_.open_connections() == 0; }));
}

TEST_F(FaultPipeTest, delays_each_way_but_keeps_a_stream_flowing) {
    pipe_.set({.latency = 50ms});
    auto stream = connect();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(stream.write_all("0123456789", 5s));
        std::this_thread::sleep_for(1ms);  // so that they go in many pieces
    }
    EXPECT_EQ(take(stream, 1000).size(), 1000u);
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(took, 100ms);
    EXPECT_LT(took, 3s) << "each piece waited for the one before";
}

TEST_F(FaultPipeTest, slices) {
    pipe_.set({.slice = 1});
    auto stream = connect();
    ASSERT_TRUE(stream.write_all("hello", 5s));
    EXPECT_EQ(take(stream, 5), "hello");
}

TEST_F(FaultPipeTest, cuts_after_so_many_bytes_down) {
    pipe_.set({.down_limit = 3}, 1);
    auto stream = connect();
    ASSERT_TRUE(stream.write_all("hello", 5s));
    EXPECT_EQ(take(stream, 5), "hel");
    EXPECT_EQ(stream.read_some(5s).value_or("reset"), "");
    auto next = connect();
    ASSERT_TRUE(next.write_all("hello", 5s));
    EXPECT_EQ(take(next, 5), "hello") << "only one connection was to be faulty";
}

TEST_F(FaultPipeTest, resets_after_so_many_bytes_up) {
    pipe_.set({.up_limit = 3, .cut = Cut::reset});
    auto stream = connect();
    ASSERT_TRUE(stream.write_all("hello", 5s));
    std::string all;
    for (;;) {
        const auto piece = stream.read_some(5s);
        if (!piece) break;
        ASSERT_FALSE(piece->empty()) << "an orderly end";
        all += *piece;
    }
    EXPECT_LE(all.size(), 3u);
}

TEST_F(FaultPipeTest, holds_everything_while_it_is_frozen) {
    auto stream = connect();
    ASSERT_TRUE(stream.write_all("a", 5s));
    ASSERT_EQ(take(stream, 1), "a");
    pipe_.freeze();
    ASSERT_TRUE(stream.write_all("b", 5s));
    EXPECT_EQ(take(stream, 1, 100ms), "");
    auto other = connect();
    ASSERT_TRUE(other.write_all("c", 5s));
    EXPECT_EQ(take(other, 1, 100ms), "");
    pipe_.thaw();
    EXPECT_EQ(take(stream, 1), "b");
    EXPECT_EQ(take(other, 1), "c");
}

TEST_F(FaultPipeTest, refuses_and_cuts_and_leads_elsewhere) {
    auto stream = connect();
    ASSERT_TRUE(stream.write_all("a", 5s));
    ASSERT_EQ(take(stream, 1), "a");
    pipe_.close();
    EXPECT_FALSE(ByteStream::connect_tcp("127.0.0.1", pipe_.port(), 5s));
    ASSERT_TRUE(stream.write_all("b", 5s));
    EXPECT_EQ(take(stream, 1), "b") << "an open connection goes on";
    pipe_.cut_all(Cut::fin);
    EXPECT_EQ(stream.read_some(5s).value_or("reset"), "");

    asio::io_context io{1};
    RawListener elsewhere(io);
    pipe_.point_to(elsewhere.port());
    pipe_.open();
    auto moved = connect();
    ASSERT_TRUE(moved.write_all("c", 5s));
    EXPECT_TRUE(eventually([&] {
        io.poll();
        return elsewhere.peers().size() == 1 && elsewhere.peers()[0]->received == "c";
    }));
}

}  // namespace
}  // namespace cvp::test
