// The provider ends connections at an age, whether or not a later AUTH prolongs it (for Google nobody knows): what a
// client may see of that, and what it may not.
#include <gtest/gtest.h>

#include "common/clock.hpp"
#include "tests/integration/proxy_login/fixture.hpp"
#include "tests/integration/proxy_login/journal_client.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class LoginAgeTest : public LoginFixture {
protected:
    void begin_load() {
        for (const auto& [depth, pause] : {std::pair{1, 0ms}, std::pair{16, 0ms}, std::pair{1, 50ms}})
            clients_.push_back(std::make_unique<JournalClient>(
                JournalClient::Settings{proxy().port(), "count:" + std::to_string(clients_.size()), depth, pause}));
    }
    /// @param failures at most so many commands of all clients
    /// @return how many connections ended under them
    std::size_t end_load(std::uint64_t failures) {
        std::uint64_t failed = 0;
        std::size_t ended = 0;
        std::string ends;
        for (auto& client : clients_) {
            const auto journal = client->stop();
            failed += journal.failed;
            EXPECT_GT(journal.acknowledged, 10u);
            ended += journal.ends.size();
            for (const auto& end : journal.ends)
                ends += end + "\n";
            for (const auto& wrong : journal.wrong)
                ADD_FAILURE() << wrong;
        }
        EXPECT_LE(failed, failures) << ends;
        return ended;
    }

    std::vector<std::unique_ptr<JournalClient>> clients_;
};

TEST_F(LoginAgeTest, where_a_login_prolongs_it_no_connection_reaches_the_age) {
    limit_age(2s, true);
    start(300ms);
    begin_load();
    auto idle = client();
    ASSERT_EQ(ask(idle, {"PING"}), "+PONG");
    const auto cuts = front("connections/cutByAge");  // of the connection that proved that the server is there
    await_front("logins/passedLater", 50, 30s);
    EXPECT_EQ(ask(idle, {"PING"}), "+PONG");
    end_load(0);
    EXPECT_LE(front("connections/cutByAge"), cuts + 1);
    EXPECT_EQ(missed(), 0);
}

TEST_F(LoginAgeTest, where_nothing_prolongs_it_only_commands_under_way_may_fail_and_no_write_is_lost_or_doubled) {
    limit_age(1500ms, false);
    start(300ms);
    begin_load();
    await_front("connections/cutByAge", 9, 30s);
    // A cut may catch every command that was under way on its connection: 16 at most.
    const auto ended = end_load(16 * (front("connections/cutByAge") + 1));
    EXPECT_GE(proxy().metric("cloudvalkey_proxy_cut_clients_total"), static_cast<double>(ended)) << "each is counted";
}

TEST_F(LoginAgeTest, a_cut_under_an_idle_client_is_not_seen) {
    limit_age(1s, false);
    start(300ms);
    auto idle = client();
    ASSERT_EQ(ask(idle, {"SELECT", "5"}), "+OK");
    ASSERT_EQ(ask(idle, {"CLIENT", "SETNAME", "me"}), "+OK");
    for (int i = 0; i < 4; ++i) {
        await_front("connections/cutByAge");
        EXPECT_EQ(ask(idle, {"SET", "k", std::to_string(i)}), "+OK");
        EXPECT_EQ(ask(idle, {"CLIENT", "GETNAME"}), "\"me\"");
    }
}

TEST_F(LoginAgeTest, a_connection_whose_login_cannot_be_renewed_is_replaced_at_the_deadline_unseen) {
    start(200ms, 1500ms);
    fault({{"answer", "WRONGPASS"}, {"turn", "later"}});
    begin_load();
    auto idle = client();
    ASSERT_EQ(ask(idle, {"SELECT", "5"}), "+OK");
    const auto connections = front("connections/total");
    EXPECT_TRUE(eventually([&] { return front("connections/total") >= connections + 2; }, 30s))
        << "connections are replaced";
    EXPECT_EQ(ask(idle, {"SET", "k", "v"}), "+OK");
    EXPECT_EQ(admin({"EXISTS", "k"}), 0) << "its database is another one";
    end_load(0);
    EXPECT_EQ(missed(), 0);
}

TEST_F(LoginAgeTest, who_blocks_or_is_in_a_transaction_at_the_deadline_is_left_to_the_server_and_counted) {
    limit_age(3s, false);
    start(300ms, 1s);
    auto blocked = client();
    auto queueing = client();
    const auto begin = SteadyClock::now();
    ASSERT_TRUE(blocked.send(encode_command({"BLPOP", "nothing", "0"})));
    ASSERT_EQ(ask(queueing, {"MULTI"}), "+OK");
    ASSERT_EQ(ask(queueing, {"SET", "k", "v"}), "+QUEUED");
    begin_load();
    EXPECT_TRUE(eventually([&] { return missed() >= 2; })) << proxy().page("/metrics");
    EXPECT_EQ(blocked.read_to_end(10s).value_or("reset"), "");
    EXPECT_EQ(queueing.read_to_end(10s).value_or("reset"), "");
    EXPECT_GE(SteadyClock::now() - begin, 2500ms) << "not before the server ended them";
    EXPECT_EQ(admin({"EXISTS", "k"}), 0);
    for (auto& client : clients_)
        EXPECT_TRUE(client->stop().wrong.empty());
}

TEST_F(LoginAgeTest, a_client_that_was_in_a_transaction_at_the_deadline_is_served_on_after_it) {
    start(300ms, 1s);
    auto queueing = client();
    ASSERT_EQ(ask(queueing, {"MULTI"}), "+OK");
    ASSERT_EQ(ask(queueing, {"INCR", "k"}), "+QUEUED");
    EXPECT_TRUE(eventually([&] { return missed() >= 1; }));
    const auto before = front("logins/passed");
    EXPECT_EQ(ask(queueing, {"EXEC"}), "[1]");
    EXPECT_TRUE(eventually([&] { return front("logins/passed") > before; })) << "the login is made up for";
    EXPECT_EQ(ask(queueing, {"GET", "k"}), "\"1\"");
}

}  // namespace
}  // namespace cvp::test
