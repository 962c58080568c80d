// The login of a new connection: what clients hear while it fails, and that they are served once it does not.
#include <gtest/gtest.h>

#include "tests/integration/proxy_login/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class FirstLoginTest : public LoginFixture {
protected:
    void start_without_waiting() {
        write(document());
        start_proxy();
    }
    /// The first answer to a client that says nothing of an upstream or a token still to come.
    std::string first_answer() {
        std::string bytes;
        EXPECT_TRUE(eventually([&] {
            bytes = proxy().ping_bytes();
            keep("answer to a client", bytes);
            return bytes.find("NoToken") == std::string::npos;
        }));
        return bytes;
    }
};

TEST_F(FirstLoginTest, while_access_is_on_its_way_clients_hear_so_then_are_served_and_the_server_is_not_flooded) {
    fault({{"answer", "WRONGPASS"}, {"forMs", 5000}});
    start_without_waiting();
    const auto answer = first_answer();
    EXPECT_TRUE(answer.starts_with("-LOADING cloud-valkey-proxy sessions: LoginRefused: ")) << answer;
    for (int i = 0; i < 20; ++i) {
        auto knocking = client();
        ASSERT_TRUE(knocking.send(encode_command({"PING"})));
    }
    EXPECT_TRUE(answers_pong_within(30s));
    EXPECT_LE(front("logins/refused"), 7u) << "tried again after 1 s, then twice as long";
    EXPECT_GE(front("logins/refused"), 2u);
    EXPECT_GE(proxy().metric("cloudvalkey_proxy_logins_total", {"result=\"refused\""}), 2);
}

TEST_F(FirstLoginTest, a_login_backend_over_its_quota_is_named_and_waited_for) {
    for (const auto* answer : {"ERR_IAM_EXHAUSTED", "ERR_IAM_OTHER"})
        fault({{"answer", answer}, {"count", 2}});
    start_without_waiting();
    const auto answer = first_answer();
    EXPECT_TRUE(answer.starts_with("-LOADING cloud-valkey-proxy sessions: LoginThrottled: ")) << answer;
    EXPECT_TRUE(answers_pong_within(60s));
    EXPECT_EQ(front("logins/refused"), 4u);
    EXPECT_GE(proxy().metric("cloudvalkey_proxy_logins_total", {"result=\"throttled\""}), 4);
}

TEST_F(FirstLoginTest, a_slow_login_is_waited_for) {
    fault({{"delayMs", 700}});
    start_without_waiting();
    await_token();
    EXPECT_EQ(ask({"PING"}), "+PONG");
    EXPECT_GE(front("logins/delayed"), 1u);
}

TEST_F(FirstLoginTest, a_login_that_is_cut_off_is_made_again_while_the_client_waits) {
    fault({{"answer", "cut"}, {"count", 1}});
    start_without_waiting();
    await_token();
    EXPECT_EQ(ask({"PING"}), "+PONG");
    fault({{"answer", "cut"}, {"count", 2}});
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ask({"PING"}), "+PONG");
    EXPECT_GE(front("logins/cut"), 3u);
}

TEST_F(FirstLoginTest, no_client_is_given_a_spare_that_the_server_has_ended) {
    start_without_waiting();
    await_login();
    for (int i = 0; i < 10; ++i) {
        cut_all();
        EXPECT_EQ(ask({"PING"}), "+PONG");
    }
    EXPECT_EQ(proxy().metric("cloudvalkey_proxy_local_errors_total"), 0);
}

}  // namespace
}  // namespace cvp::test
