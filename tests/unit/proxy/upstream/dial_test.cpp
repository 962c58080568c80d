#include "proxy/upstream/dial.hpp"

#include <optional>

#include <gtest/gtest.h>

#include "proxy/loop/asio_pump.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

struct Recorder final : Dial::Owner {
    void on_dial_ended(DialResult ended) override { result = std::move(ended); }
    std::optional<DialResult> result;
};

/// Plain dials to a listener on loopback.
struct DialTest : ::testing::Test {
    std::unique_ptr<Dial> dial(const std::string& host, SteadyClock::duration limit = 5s) {
        Target target;
        target.endpoint = {EndpointRole::primary, host, local_address(listener).value().port()};
        auto dial = std::make_unique<Dial>(loop, io, slots, owner, target, nullptr);
        dial->start(SteadyClock::now() + limit);
        return dial;
    }

    bool run_until_ended() {
        const auto until = SteadyClock::now() + 5s;
        while (!owner.result && SteadyClock::now() < until)
            io.run_one_for(100ms);
        return owner.result.has_value();
    }

    asio::io_context io;
    EventLoop loop;
    AsioPump pump{io, loop};
    Socket listener = listen_tcp(SocketAddress::parse("127.0.0.1", 0).value()).value();
    LoginSlots slots;
    Recorder owner;
};

TEST_F(DialTest, reaches_a_server_by_address) {
    const auto dialling = dial("127.0.0.1");
    ASSERT_TRUE(run_until_ended());
    EXPECT_NE(owner.result->channel, nullptr) << owner.result->error.sentence;
}

TEST_F(DialTest, reaches_a_server_by_name) {
    const auto dialling = dial("localhost");
    ASSERT_TRUE(run_until_ended());
    EXPECT_NE(owner.result->channel, nullptr) << owner.result->error.sentence;
}

TEST_F(DialTest, says_which_address_refused) {
    const auto port = std::to_string(local_address(listener).value().port());
    const auto dialling = dial("127.0.0.2");
    ASSERT_TRUE(run_until_ended());
    EXPECT_EQ(owner.result->channel, nullptr);
    EXPECT_NE(owner.result->error.sentence.find("127.0.0.2:" + port), std::string::npos)
        << owner.result->error.sentence;
}

// Its owner may be gone by then: a destination is replaced from outside the loop's turn.
TEST_F(DialTest, is_silent_once_disposed_of_although_the_server_has_answered) {
    loop.dispose(dial("127.0.0.1"));
    io.run_for(50ms);
    EXPECT_FALSE(owner.result);
}

TEST_F(DialTest, is_silent_once_disposed_of_although_its_time_is_over) {
    loop.dispose(dial("127.0.0.1", 0s));
    io.run_for(50ms);
    EXPECT_FALSE(owner.result);
}

TEST_F(DialTest, is_silent_once_disposed_of_while_its_name_is_resolved) {
    loop.dispose(dial("localhost"));
    io.run_for(50ms);
    EXPECT_FALSE(owner.result);
}

}  // namespace
}  // namespace cvp::proxy
