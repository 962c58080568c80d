#include "proxy/loop/channel.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/support/byte_stream.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

/// Writes down what its channel tells it.
struct Recorder final : Channel::Owner {
    void on_open() override { heard += "open;"; }
    void on_bytes(std::string_view bytes) override {
        heard += "bytes;";
        got += bytes;
        on_each();
    }
    void on_eof() override {
        heard += "eof;";
        on_end();
    }
    void on_broken(const ChannelFault& fault) override {
        heard += "broken;";
        reason = fault.reason;
        on_end();
    }
    void on_sent() override { ++sent; }
    void on_hangup() override { heard += "hangup;"; }
    void on_unread_end() override { heard += "unread end;"; }

    std::string heard, got, reason;
    int sent = 0;
    std::function<void()> on_each = [] {};
    std::function<void()> on_end = [] {};
};

/// A listener on loopback and what connects to it: real TCP, because resets are what is tested.
struct Net {
    Net() : listener(listen_tcp(SocketAddress::parse("127.0.0.1", 0).value()).value()) {}

    SocketAddress address() const { return local_address(listener).value(); }

    Socket accept() const {
        ::fcntl(listener.fd(), F_SETFL, 0);
        return Socket(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    }

    /// Two ends: ours non-blocking, theirs blocking.
    std::pair<Socket, Socket> pair() const {
        auto ours = connect_tcp(address()).value();
        auto theirs = accept();
        return {std::move(ours), std::move(theirs)};
    }

    Socket listener;
};

void reset(Socket& socket) {
    reset_on_close(socket);
    socket.close();
}

template <class Condition>
bool turn_until(EventLoop& loop, Condition condition) {
    const auto until = SteadyClock::now() + 5s;
    while (!condition() && SteadyClock::now() < until)
        loop.turn();
    return condition();
}

/// All that the other end gets, up to its end.
std::string read_all(const Socket& socket) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (auto got = receive(socket, buffer.data(), buffer.size()); got.state == Transfer::State::moved;
         got = receive(socket, buffer.data(), buffer.size()))
        all.append(buffer.data(), got.bytes);
    return all;
}

std::shared_ptr<TlsProfile> profile_trusting(const test::TestCa& ca) {
    tls::ClientOptions options;
    options.ca_pem = ca.pem();
    return TlsProfile::make(options, "127.0.0.1").value();
}

struct ChannelTest : ::testing::Test {
    /// A channel on one end of a connection; the other end is `theirs`.
    void adopt() {
        auto [ours, other] = net.pair();
        theirs = std::move(other);
        channel.adopt(std::move(ours));
    }
    /// Turns the loop until `theirs` gets the end, with a call of `before_each` before each read.
    /// @return the bytes that came before the end; nothing if it did not come
    std::optional<std::size_t> drain(const std::function<void()>& before_each = [] {}) {
        std::size_t read = 0;
        std::array<char, 65536> buffer{};
        ::fcntl(theirs.fd(), F_SETFL, O_NONBLOCK);
        const bool has_ended = turn_until(loop, [&] {
            before_each();
            const auto got = receive(theirs, buffer.data(), buffer.size());
            read += got.bytes;
            return got.state == Transfer::State::ended;
        });
        return has_ended ? std::optional(read) : std::nullopt;
    }

    Net net;
    EventLoop loop;
    Recorder owner;
    Channel channel{loop, owner};
    Socket theirs;
};

TEST_F(ChannelTest, connects_and_carries_bytes_both_ways) {
    ASSERT_TRUE(channel.connect(net.address(), nullptr));
    theirs = net.accept();
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "open;"; }));
    channel.write("to them");
    std::array<char, 16> buffer{};
    EXPECT_EQ(::recv(theirs.fd(), buffer.data(), buffer.size(), 0), 7);
    send(theirs, "to us");
    ASSERT_TRUE(turn_until(loop, [&] { return owner.got == "to us"; }));
}

TEST_F(ChannelTest, says_why_it_cannot_connect) {
    const auto nobody = net.address();
    net.listener.close();
    owner.on_end = [&] { channel.close(); };
    const auto begun = channel.connect(nobody, nullptr);
    if (begun) {
        ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "broken;"; }));
    }
    EXPECT_EQ(owner.reason, "Connection refused");
}

TEST_F(ChannelTest, greets_the_server_before_the_loop_turns) {
    const test::TestCa ca;
    ASSERT_TRUE(channel.connect(net.address(), profile_trusting(ca)));
    theirs = net.accept();
    std::array<char, 1> first{};
    ASSERT_EQ(::recv(theirs.fd(), first.data(), first.size(), MSG_DONTWAIT), 1);
    EXPECT_EQ(first[0], '\x16') << "a record of the handshake";
    EXPECT_EQ(owner.heard, "");
}

TEST_F(ChannelTest, says_why_it_cannot_connect_to_greet) {
    const test::TestCa ca;
    const auto nobody = net.address();
    net.listener.close();
    const auto begun = channel.connect(nobody, profile_trusting(ca));
    ASSERT_FALSE(begun) << "the socket tells of its error once, and has";
    EXPECT_NE(begun.error().context.find("Connection refused"), std::string::npos) << begun.error().context;
    loop.turn();
    EXPECT_EQ(owner.heard, "");
}

TEST_F(ChannelTest, takes_what_has_come_already_when_it_is_told_to) {
    auto [ours, other] = net.pair();
    theirs = std::move(other);
    send(theirs, "early");
    channel.set_reading(Scratch::kReadBytes);
    channel.adopt(std::move(ours));
    channel.read_at_once();
    EXPECT_EQ(owner.got, "early");
    channel.read_at_once();
    EXPECT_EQ(owner.heard, "bytes;") << "there was nothing more";
    theirs.close();
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "bytes;eof;"; }));
}

TEST_F(ChannelTest, reads_only_as_much_as_it_is_told_to) {
    adopt();
    send(theirs, "0123456789");
    channel.set_reading(4);
    owner.on_each = [&] { channel.set_reading(0); };
    ASSERT_TRUE(turn_until(loop, [&] { return !owner.got.empty(); }));
    loop.turn();
    EXPECT_EQ(owner.got, "0123");
    owner.on_each = [] {};
    channel.set_reading(100);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.got == "0123456789"; }));
}

TEST_F(ChannelTest, queues_what_the_socket_does_not_take_and_ends_after_it) {
    adopt();
    const std::string big(8 << 20, 'x');
    channel.write(big);
    EXPECT_GT(channel.pending(), 0u);
    channel.finish();
    EXPECT_FALSE(channel.is_finished());
    ASSERT_EQ(drain(), big.size());
    EXPECT_TRUE(channel.is_finished());
    EXPECT_EQ(channel.pending(), 0u);
    EXPECT_GT(owner.sent, 0);
}

TEST_F(ChannelTest, sends_a_peer_that_has_ended_the_rest_before_it_is_closed) {
    adopt();
    channel.set_reading(100);
    ::shutdown(theirs.fd(), SHUT_WR);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "eof;"; }));
    const std::string big(8 << 20, 'x');
    channel.write(big);
    channel.finish();
    EXPECT_FALSE(channel.is_finished());
    const auto close_when_finished = [&] {
        if (channel.is_finished()) channel.close();
    };
    ASSERT_EQ(drain(close_when_finished), big.size());
}

TEST_F(ChannelTest, that_is_abandoned_resets_a_peer_of_tls_alone) {
    adopt();
    channel.abandon();
    std::array<char, 1> first{};
    EXPECT_EQ(receive(theirs, first.data(), first.size()).state, Transfer::State::ended);

    const test::TestCa ca;
    Channel with_tls(loop, owner);
    ASSERT_TRUE(with_tls.connect(net.address(), profile_trusting(ca)));
    test::ByteStream server(::dup(net.accept().fd()));
    std::thread accepts([&] { EXPECT_TRUE(server.accept_tls(ca.server(), 5s)); });
    EXPECT_TRUE(turn_until(loop, [&] { return owner.heard == "open;"; }));
    accepts.join();
    with_tls.abandon();
    const auto end = server.read_some(5s);
    ASSERT_FALSE(end) << *end;
    EXPECT_NE(end.error().context.find("reset"), std::string::npos) << end.error().context;
}

TEST_F(ChannelTest, delivers_what_came_before_a_reset_although_writing_fails_already) {
    adopt();
    channel.set_reading(0);
    send(theirs, "last words");
    reset(theirs);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "hangup;"; }));
    channel.write("nobody hears this");
    channel.write("nor this");
    EXPECT_EQ(channel.pending(), 0u);
    owner.on_end = [&] { channel.close(); };
    channel.set_reading(100);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard.ends_with("eof;") || owner.heard.ends_with("broken;"); }));
    EXPECT_EQ(owner.got, "last words");
}

TEST_F(ChannelTest, tells_once_of_an_end_that_is_not_read_and_delivers_what_came_before_it) {
    adopt();
    channel.set_reading(0);
    send(theirs, "last");
    ::shutdown(theirs.fd(), SHUT_WR);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "unread end;"; }));
    loop.turn();
    EXPECT_EQ(owner.heard, "unread end;");
    channel.set_reading(100);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "unread end;bytes;eof;"; })) << owner.heard;
    EXPECT_EQ(owner.got, "last");
}

TEST_F(ChannelTest, goes_on_writing_after_the_peers_half_close) {
    adopt();
    channel.set_reading(100);
    ::shutdown(theirs.fd(), SHUT_WR);
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard == "eof;"; }));
    loop.turn();
    EXPECT_EQ(owner.heard, "eof;") << "once";
    channel.write("still here");
    std::array<char, 16> buffer{};
    EXPECT_EQ(::recv(theirs.fd(), buffer.data(), buffer.size(), 0), 10);
}

TEST_F(ChannelTest, sends_what_was_written_in_a_callback_before_it_is_closed_there) {
    adopt();
    channel.set_reading(100);
    owner.on_each = [&] {
        channel.write("last words");
        channel.close();
    };
    send(theirs, "x");
    ASSERT_TRUE(turn_until(loop, [&] { return !owner.heard.empty(); }));
    EXPECT_EQ(read_all(theirs), "last words");
}

TEST_F(ChannelTest, ends_its_direction_after_what_was_written_in_a_callback) {
    adopt();
    channel.set_reading(100);
    bool was_finished = false;
    owner.on_each = [&] {
        channel.write("last words");
        channel.finish();
        was_finished = channel.is_finished();
    };
    send(theirs, "x");
    ASSERT_TRUE(turn_until(loop, [&] { return !owner.heard.empty(); }));
    EXPECT_TRUE(was_finished) << "nobody would be told of it later";
    EXPECT_EQ(read_all(theirs), "last words");
}

TEST_F(ChannelTest, keeps_the_order_of_short_and_long_pieces_written_in_a_callback) {
    adopt();
    channel.set_reading(100);
    const std::string piece(10'000, '2');
    owner.on_each = [&] {
        channel.write("1");
        channel.write(piece);
        channel.write("3");
    };
    send(theirs, "x");
    ASSERT_TRUE(turn_until(loop, [&] { return !owner.heard.empty(); }));
    channel.close();
    EXPECT_EQ(read_all(theirs), "1" + piece + "3");
}

TEST_F(ChannelTest, queues_what_the_socket_does_not_take_at_the_end_of_a_batch) {
    adopt();
    channel.set_reading(100);
    const std::string piece(4'000, 'x');
    std::size_t written = 0;
    owner.on_each = [&] {
        channel.write(piece);
        written += piece.size();
    };
    while (channel.pending() == 0) {
        send(theirs, "x");
        loop.turn();
        ASSERT_LT(written, 64u << 20) << "a socket takes it all";
    }
    channel.finish();
    ASSERT_EQ(drain(), written);
}

/// Two channels that are readable in one batch; callbacks of either may act on the other one.
struct TwoChannelsTest : ChannelTest {
    TwoChannelsTest() {
        adopt();
        auto [ours, others] = net.pair();
        their_second = std::move(others);
        second.adopt(std::move(ours));
        for (auto* each : {&channel, &second})
            each->set_reading(Scratch::kReadBytes);
    }
    /// Both ends speak; whoever hears it first calls `act` with the other one.
    void speak_to_both(std::function<void(Channel&)> act) {
        auto once = [act = std::move(act), is_done = std::make_shared<bool>()](Channel& other) {
            if (!std::exchange(*is_done, true)) act(other);
        };
        owner.on_each = [this, once] { once(second); };
        second_owner.on_each = [this, once] { once(channel); };
        send(theirs, "one");
        send(their_second, "two");
        loop.turn();
    }
    std::string heard() const { return owner.got + second_owner.got; }

    Recorder second_owner;
    Channel second{loop, second_owner};
    Socket their_second;
};

TEST_F(TwoChannelsTest, are_both_heard) {
    speak_to_both([](Channel& other) { EXPECT_TRUE(other.has_input()) << "also where it was read ahead"; });
    EXPECT_EQ(heard(), "onetwo");
}

TEST_F(TwoChannelsTest, lose_nothing_where_one_turns_the_others_reading_off) {
    speak_to_both([](Channel& other) { other.set_reading(0); });
    for (auto* each : {&channel, &second})
        each->set_reading(Scratch::kReadBytes);
    EXPECT_TRUE(turn_until(loop, [&] { return heard() == "onetwo"; })) << heard();
}

TEST_F(TwoChannelsTest, say_nothing_once_one_has_closed_the_other) {
    speak_to_both([](Channel& other) { other.close(); });
    loop.turn();
    EXPECT_EQ(heard().size(), 3u);
}

TEST_F(TwoChannelsTest, read_much_in_its_order) {
    std::string much;
    for (int i = 0; i < 20'000; ++i)
        much += std::to_string(i) + ",";
    std::size_t sent = 0;
    ::fcntl(theirs.fd(), F_SETFL, O_NONBLOCK);
    ASSERT_TRUE(turn_until(loop, [&] {
        send(their_second, "x");  // so that batches have two events
        if (sent < much.size()) sent += send(theirs, std::string_view(much).substr(sent, 10'000)).bytes;
        return owner.got.size() >= much.size();
    }));
    EXPECT_EQ(owner.got, much);
}

TEST_F(TwoChannelsTest, say_what_came_before_an_end_and_then_the_end) {
    send(theirs, "last words");
    send(their_second, "x");
    reset(theirs);
    owner.on_end = [this] { channel.close(); };
    ASSERT_TRUE(turn_until(loop, [&] { return owner.heard.ends_with("eof;") || owner.heard.ends_with("broken;"); }));
    EXPECT_TRUE(owner.heard.starts_with("bytes;")) << owner.heard;
    EXPECT_EQ(owner.got, "last words");
}

TEST_F(ChannelTest, says_nothing_after_it_was_closed_in_a_callback) {
    adopt();
    channel.set_reading(100);
    owner.on_each = [&] { channel.close(); };
    send(theirs, "x");
    theirs.close();
    ASSERT_TRUE(turn_until(loop, [&] { return !owner.heard.empty(); }));
    loop.turn();
    EXPECT_EQ(owner.heard, "bytes;");
}

}  // namespace
}  // namespace cvp::proxy
