// Logins are renewed on live connections; refusals, delays and silence of the login backend are no client's business.
#include <gtest/gtest.h>

#include "tests/integration/proxy_login/fixture.hpp"
#include "tests/integration/proxy_login/journal_client.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

class ReloginTest : public LoginFixture {
protected:
    /// Three busy clients (one command, a pipeline, one with pauses) and, with it, an idle one.
    void begin_load() {
        for (const auto& [depth, pause] : {std::pair{1, 0ms}, std::pair{32, 0ms}, std::pair{1, 30ms}})
            clients_.push_back(std::make_unique<JournalClient>(
                JournalClient::Settings{proxy().port(), "count:" + std::to_string(clients_.size()), depth, pause}));
        idle_.emplace(client());
        ASSERT_EQ(ask(*idle_, {"SELECT", "2"}), "+OK");
        ASSERT_EQ(ask(*idle_, {"SET", "mine", "v"}), "+OK");
    }

    /// Ends it: not one command may have failed.
    void expect_nobody_noticed() {
        EXPECT_EQ(ask(*idle_, {"GET", "mine"}), "\"v\"") << "the idle client, in its database";
        for (auto& client : clients_) {
            EXPECT_TRUE(eventually([&] { return client->acknowledged() > 10; })) << "the one with pauses takes 0.3 s";
            const auto journal = client->stop();
            EXPECT_EQ(journal.failed, 0u);
            EXPECT_GT(journal.acknowledged, 10u);
            for (const auto& end : journal.ends)
                ADD_FAILURE() << "a connection ended: " << end;
            for (const auto& wrong : journal.wrong)
                ADD_FAILURE() << wrong;
        }
    }

    std::vector<std::unique_ptr<JournalClient>> clients_;
    std::optional<RespClient> idle_;
};

TEST_F(ReloginTest, busy_and_idle_connections_log_in_again_and_nobody_notices) {
    start(200ms);
    begin_load();
    const auto connections = front("connections/total");
    await_front("logins/passedLater", 40);
    expect_nobody_noticed();
    EXPECT_EQ(front("connections/total"), connections) << "in place";
    EXPECT_GE(relogins("ok"), 40);
    EXPECT_EQ(relogins("refused"), 0);
    EXPECT_EQ(missed(), 0);
}

TEST_F(ReloginTest, refused_logins_are_tried_again_and_nobody_notices) {
    start(200ms);
    begin_load();
    for (const auto* answer : {"WRONGPASS", "ERR_IAM_EXHAUSTED", "ERR_IAM_OTHER"}) {
        strike({{"answer", answer}, {"turn", "later"}}, 4, "logins/refused");
        await_front("logins/passedLater", 4, 30s);
    }
    expect_nobody_noticed();
    EXPECT_TRUE(eventually([&] { return relogins() - relogins("ok") >= 12; }));
}

TEST_F(ReloginTest, a_server_that_refuses_to_renew_logins_but_grants_new_ones_keeps_no_new_client_out) {
    start(200ms);
    begin_load();
    strike({{"answer", "WRONGPASS"}, {"turn", "later"}}, 4, "logins/refused");
    fault({{"answer", "WRONGPASS"}, {"turn", "later"}});
    for (int i = 0; i < 5; ++i) {
        auto newcomer = client();
        EXPECT_EQ(ask(newcomer, {"PING"}), "+PONG");
    }
    expect_nobody_noticed();
}

TEST_F(ReloginTest, logins_refused_without_a_reply_are_tried_again_and_no_reply_is_off_by_one) {
    start(200ms);
    begin_load();
    // All connections wait for one: after a refusal 1 s, then 2, 4, 8; so the fourth may be 7 s away and the fifth 15.
    strike({{"answer", "silence"}, {"turn", "later"}}, 4, "logins/silenced");
    await_front("logins/passedLater", 4, 30s);
    expect_nobody_noticed();
    EXPECT_TRUE(eventually([&] { return relogins() - relogins("ok") >= 4; }));
}

TEST_F(ReloginTest, a_slow_login_makes_its_client_wait_and_no_more) {
    start(200ms);
    begin_load();
    const auto connections = front("connections/total");
    fault({{"delayMs", 700}, {"turn", "later"}});
    await_front("logins/delayed", 10);
    heal();
    await_front("logins/passedLater", 4);
    expect_nobody_noticed();
    EXPECT_EQ(front("connections/total"), connections) << "a fence has no deadline";
}

TEST_F(ReloginTest, an_expired_token_is_replaced_before_the_next_login_and_nobody_notices) {
    start(200ms);
    begin_load();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(emulator().admin("POST", "tokens:expire"));
        await_front("logins/passedLater", 8, 30s);
    }
    expect_nobody_noticed();
}

TEST_F(ReloginTest, a_connection_that_breaks_in_the_middle_of_a_login_is_replaced_under_an_idle_client) {
    start(200ms);
    auto idle = client();
    ASSERT_EQ(ask(idle, {"SELECT", "2"}), "+OK");
    ASSERT_EQ(ask(idle, {"CLIENT", "SETNAME", "me"}), "+OK");
    for (int i = 0; i < 3; ++i) {
        strike({{"answer", "cut"}, {"turn", "later"}}, 1, "logins/cut");
        ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_resumes_total") >= i + 1; }))
            << "a command that is sent before the end is seen would be under way";
        EXPECT_EQ(ask(idle, {"SET", "k", std::to_string(i)}), "+OK");
        EXPECT_EQ(ask(idle, {"CLIENT", "GETNAME"}), "\"me\"");
    }
    EXPECT_EQ(admin({"DBSIZE"}), 0) << "its database is another one";
}

TEST_F(ReloginTest, at_most_four_logins_are_under_way) {
    start(300ms);
    fault({{"delayMs", 250}});
    std::vector<RespClient> clients;
    std::vector<std::string> begun;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(client());
        ASSERT_TRUE(clients.back().send(encode_command({"PING"})));
    }
    for (auto& client : clients)
        EXPECT_EQ(next(client), "+PONG");
    await_front("logins/passedLater", 16);
    EXPECT_LE(front("logins/mostWaiting"), 4u);
    EXPECT_GE(front("logins/mostWaiting"), 2u) << "or there was nothing to limit";
}

TEST_F(ReloginTest, logins_are_renewed_as_often_as_they_are_due_and_no_more) {
    start(1s);
    auto idle = client();
    ASSERT_EQ(ask(idle, {"PING"}), "+PONG");
    const auto before = front("logins/passedLater");
    std::this_thread::sleep_for(4500ms);
    const auto renewed = front("logins/passedLater") - before;
    EXPECT_GE(renewed, 2u);
    EXPECT_LE(renewed, 6u);
}

}  // namespace
}  // namespace cvp::test
