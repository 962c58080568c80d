// Subscribers live longer than any login: moved or logged in again, they miss nothing and hear nothing twice.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "common/clock.hpp"
#include "tests/integration/proxy_login/fixture.hpp"
#include "tests/integration/proxy_login/message_counter.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMessages = 500'000;  ///< GOALS: across forced cuts
constexpr std::uint64_t kBatch = 500;

class SubscribersTest : public LoginFixture {
protected:
    using LoginFixture::LoginFixture;

    /// Two subscribers of each protocol hear `kMessages` in all, each number twice (by channel and by pattern), within
    /// at least `time`. The publisher never runs far ahead: else buffers, not logins, would be what is tested.
    void count_messages(std::chrono::milliseconds time) {
        const auto last = kMessages / 8 - 1;
        std::vector<std::unique_ptr<MessageCounter>> subscribers;
        for (const int protocol : {2, 3, 2, 3})
            subscribers.push_back(
                std::make_unique<MessageCounter>(client(), MessageCounter::Settings{protocol, "news", last, "", 0ms}));
        auto publisher = direct();
        const auto begin = SteadyClock::now();
        for (std::uint64_t number = 0; number <= last;) {
            number = publish(publisher, number, std::min(number + kBatch, last + 1));
            std::this_thread::sleep_until(begin + time * number / (last + 1));
            for (const auto& subscriber : subscribers)
                eventually([&] { return subscriber->received() + 4 * kBatch > 2 * number || subscriber->is_over(); });
        }
        std::uint64_t received = 0;
        for (auto& subscriber : subscribers) {
            EXPECT_EQ(subscriber->finish(), "");
            received += subscriber->received();
        }
        EXPECT_EQ(received, kMessages);
    }

    /// Publishes the numbers from `first` to before `end`. @return end
    static std::uint64_t publish(RespClient& publisher, std::uint64_t first, std::uint64_t end,
                                 const std::string& padding = "") {
        std::string bytes;
        for (auto number = first; number < end; ++number)
            bytes += encode_command({"PUBLISH", "news", std::to_string(number) + padding});
        EXPECT_TRUE(publisher.send(bytes));
        for (auto number = first; number < end; ++number)
            EXPECT_EQ(next(publisher).find_first_not_of("0123456789"), std::string::npos);
        return end;
    }

    double moves() { return proxy().metric("cloudvalkey_proxy_moves_total", {"result=\"ok\""}); }
};

TEST_F(SubscribersTest, miss_nothing_while_their_logins_are_renewed_every_200_ms) {
    start(200ms);
    count_messages(8s);
    EXPECT_GE(moves(), 20) << "of the two that speak RESP2";
    EXPECT_GE(relogins("ok"), 20) << "in place, of the two that speak RESP3";
    EXPECT_EQ(missed(), 0);
}

TEST_F(SubscribersTest, miss_nothing_across_cuts_that_no_login_puts_off) {
    limit_age(7s, false);  // shorter than the test; a move is a dozen round trips, slow on a busy machine
    start(400ms, 1200ms);
    const auto before = front("connections/total");
    count_messages(10s);
    EXPECT_GE(front("connections/total"), before + 4 + 8) << "each was moved";
    EXPECT_EQ(missed(), 0);
}

TEST_F(SubscribersTest, miss_nothing_while_renewing_their_logins_is_refused_silent_or_slow) {
    start(200ms, 2s);
    fault({{"answer", "WRONGPASS"}, {"turn", "later"}, {"count", 6}});
    fault({{"answer", "silence"}, {"turn", "later"}, {"count", 6}});
    fault({{"delayMs", 50}});
    count_messages(8s);
    EXPECT_GE(front("logins/refused") + front("logins/silenced"), 3u) << "then 8 s apart";
}

TEST_F(SubscribersTest, a_silent_one_whose_moves_failed_even_after_the_deadline_is_moved_once_it_is_possible) {
    start(300ms, 900ms);
    auto subscriber = client();
    ASSERT_EQ(ask(subscriber, {"SUBSCRIBE", "a"}), "[\"subscribe\", \"a\", 1]");
    fault({{"answer", "cut"}, {"turn", "first"}});
    const auto failed = [this] { return proxy().metric("cloudvalkey_proxy_moves_total", {"result=\"failed\""}); };
    EXPECT_TRUE(eventually([&] { return missed() >= 1; })) << "the deadline passed, and nothing is said meanwhile";
    const auto before = failed();
    EXPECT_TRUE(eventually([&] { return failed() > before; })) << "it is tried again";
    const auto moved = moves();
    heal();
    EXPECT_TRUE(eventually([&] { return moves() > moved; }, 35s));
    EXPECT_EQ(admin({"PUBLISH", "a", "hello"}), 1);
    EXPECT_EQ(next(subscriber), "[\"message\", \"a\", \"hello\"]");
}

TEST_F(SubscribersTest, who_cannot_be_moved_is_left_to_the_server_and_counted) {
    limit_age(2s, false);
    start(300ms, 1s);
    auto target = client();
    ASSERT_EQ(ask(target, {"SUBSCRIBE", "__redis__:invalidate"}), "[\"subscribe\", \"__redis__:invalidate\", 1]");
    const auto begin = SteadyClock::now();
    EXPECT_TRUE(eventually([&] { return missed() >= 1; })) << proxy().page("/metrics");
    EXPECT_EQ(target.read_to_end(10s).value_or("reset"), "");
    EXPECT_GE(SteadyClock::now() - begin, 1s) << "not before the server ended it";
}

TEST_F(SubscribersTest, commands_of_a_subscriber_that_is_moved_are_answered_once_and_in_order) {
    start(100ms);
    auto subscriber = client();
    ASSERT_EQ(ask(subscriber, {"SUBSCRIBE", "a"}), "[\"subscribe\", \"a\", 1]");
    const auto before = front("connections/total");
    int asked = 0;
    const auto begin = SteadyClock::now();
    for (; SteadyClock::now() - begin < 5s; ++asked) {
        const auto number = std::to_string(asked);
        ASSERT_EQ(ask(subscriber, {"PING", number}), "[\"pong\", \"" + number + "\"]");
        ASSERT_EQ(ask(subscriber, {"SUBSCRIBE", "b" + number}), "[\"subscribe\", \"b" + number + "\", 2]");
        ASSERT_EQ(ask(subscriber, {"UNSUBSCRIBE", "b" + number}), "[\"unsubscribe\", \"b" + number + "\", 1]");
    }
    EXPECT_GE(front("connections/total"), before + 5) << "it was moved meanwhile";
    EXPECT_EQ(admin({"PUBSUB", "NUMSUB", "a"}), nlohmann::json({"a", 1}));
}

/// Without TLS: Valkey 8.0 ends a subscriber over TLS that reads slowly, by itself (its "bad length" from OpenSSL).
class PlainSubscribersTest : public SubscribersTest {
protected:
    PlainSubscribersTest() : SubscribersTest(":valkey,front,tls=off") {}

    ResolvedConnection served() override {
        ResolvedConnection connection;
        connection.name = "sessions";
        connection.endpoints = {{EndpointRole::primary, "127.0.0.1", emulator().instance(kInstance).port}};
        connection.tls.mode = TlsMode::disabled;
        connection.auth.mode = AuthMode::password;
        connection.auth.password_file = "password";
        connection.proxy.warm_spares = 0;
        dir_.write("config/password", emulator().mint().value());
        return connection;
    }
};

TEST_F(PlainSubscribersTest, a_slow_reader_is_moved_when_it_gets_there_and_misses_nothing) {
    constexpr std::uint64_t kBacklog = 5'000;  // 10 MB, read at 400 KB/s
    const std::string padding(1000, 'x');
    start(300ms);
    admin({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0"});
    std::vector<std::unique_ptr<MessageCounter>> subscribers;
    for (const int protocol : {2, 3}) {
        auto reader = client();
        const int little = 64 * 1024;  // or its socket would hold it all
        ASSERT_EQ(::setsockopt(reader.stream().fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
        subscribers.push_back(std::make_unique<MessageCounter>(
            std::move(reader), MessageCounter::Settings{protocol, "news", kBacklog - 1, padding, 250ms}));
    }
    auto publisher = direct();
    publish(publisher, 0, kBacklog, padding);
    for (auto& subscriber : subscribers)
        EXPECT_EQ(subscriber->finish().substr(0, 100), "");
    EXPECT_GE(moves(), 1);
}

}  // namespace
}  // namespace cvp::test
