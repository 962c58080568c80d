#include "proxy/tls_greeting.hpp"

#include <array>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/support/test_ca.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

/// What a session hears of its client.
struct Session final : Channel::Owner {
    void on_open() override { ADD_FAILURE() << "it was open before"; }
    void on_bytes(std::string_view bytes) override { got += bytes; }
    void on_eof() override { has_ended = true; }
    void on_broken(const ChannelFault&) override { has_ended = true; }
    void on_sent() override {}
    void on_hangup() override {}

    std::string got;
    bool has_ended = false;
};

struct Host final : TlsGreeting::Host {
    explicit Host(EventLoop& its_loop) : loop(its_loop) {}
    void on_greeted(TlsGreeting&, std::unique_ptr<Channel> channel) override {
        client = std::move(channel);
        client->set_owner(session);
        loop.dispose(std::move(greeting));
    }
    void on_greeting_failed(TlsGreeting&, const tls::Failure& why) override {
        failure = why;
        loop.dispose(std::move(greeting));
    }

    EventLoop& loop;
    std::unique_ptr<TlsGreeting> greeting;
    std::unique_ptr<Channel> client;
    Session session;
    tls::Failure failure;
};

class TlsGreetingTest : public ::testing::Test {
protected:
    void SetUp() override {
        const auto leaf = ca.sign(test::Leaf::good);
        profile = TlsServerProfile::make({leaf.certificate_pem, leaf.key_pem, {}}).value();
        std::array<int, 2> fds{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()), 0);
        theirs = Socket(fds[1]);
        host.greeting =
            std::make_unique<TlsGreeting>(loop, static_cast<TlsGreeting::Host&>(host), Socket(fds[0]), *profile, false);
    }

    template <class Condition>
    bool turn_until(Condition condition) {
        const auto until = SteadyClock::now() + 5s;
        while (!condition() && SteadyClock::now() < until)
            loop.turn();
        return condition();
    }

    test::TestCa ca;
    std::shared_ptr<TlsServerProfile> profile;
    EventLoop loop;
    Host host{loop};
    Socket theirs;
};

TEST_F(TlsGreetingTest, hands_over_a_channel_that_loses_no_byte_of_the_last_flight) {
    tls::ClientOptions options;
    options.ca_pem = ca.pem();
    TlsEngine engine(TlsProfile::make(options, "127.0.0.1").value());
    std::array<char, 65536> input{};
    std::vector<char> plain(81920);
    std::string output;
    engine.start(output);
    send(theirs, std::exchange(output, {}));
    ASSERT_TRUE(turn_until([&] {
        const auto got = receive(theirs, input.data(), input.size());
        if (got.bytes > 0) engine.receive({input.data(), got.bytes}, plain.data(), plain.size(), output);
        return engine.state() == TlsEngine::State::open;
    }));
    engine.send("PING", output);  // in one write with the end of the handshake
    send(theirs, std::exchange(output, {}));

    ASSERT_TRUE(turn_until([&] { return host.client != nullptr; }));
    EXPECT_TRUE(turn_until([&] { return host.session.got == "PING"; }));
    host.client->write("+PONG");
    std::string answer;
    ASSERT_TRUE(turn_until([&] {
        const auto got = receive(theirs, input.data(), input.size());
        if (got.bytes > 0) {
            answer.append(plain.data(), engine.receive({input.data(), got.bytes}, plain.data(), plain.size(), output));
        }
        return answer == "+PONG";
    }));
    loop.dispose(std::move(host.client));
    loop.turn();
}

TEST_F(TlsGreetingTest, tells_of_a_client_that_goes_away) {
    theirs.close();
    ASSERT_TRUE(turn_until([&] { return !host.failure.sentence.empty(); }));
    EXPECT_EQ(host.failure, (tls::Failure{tls::FailureKind::interrupted, "the client went away in the handshake"}));
}

TEST_F(TlsGreetingTest, has_patience_for_ten_seconds) {
    loop.timers().run(SteadyClock::now() + 9s);
    EXPECT_EQ(host.failure.sentence, "");
    loop.timers().run(SteadyClock::now() + 11s);
    EXPECT_EQ(host.failure.sentence, "the client did no TLS handshake in 10 s");
    EXPECT_EQ(host.greeting, nullptr);
}

TEST_F(TlsGreetingTest, ends_without_a_word_when_it_is_disposed_of) {
    loop.dispose(std::move(host.greeting));
    loop.turn();
    std::array<char, 16> buffer{};
    EXPECT_EQ(receive(theirs, buffer.data(), buffer.size()).state, Transfer::State::ended);
    EXPECT_EQ(host.failure.sentence, "");
}

}  // namespace
}  // namespace cvp::proxy
