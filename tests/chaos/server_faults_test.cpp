// The server cuts, sleeps, pauses, stops and dies, under applications that write.
#include <thread>

#include "tests/chaos/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Commands = std::vector<std::vector<std::string>>;

class ServerFaults : public ChaosTest {};

TEST_F(ServerFaults, an_idle_client_does_not_see_that_its_connection_was_cut) {
    start();
    auto client = connect();
    ask(client, {"HELLO", "3"});
    ASSERT_EQ(ask(client, {"SELECT", "3"}), "+OK");
    ASSERT_EQ(ask(client, {"CLIENT", "SETNAME", "worker"}), "+OK");
    ASSERT_EQ(ask(client, {"CLIENT", "NO-EVICT", "ON"}), "+OK");
    ASSERT_EQ(ask(client, {"HSET", "h", "f", "v"}), "1");
    for (int i = 1; i <= 10; ++i) {
        kill_upstreams();
        ASSERT_EQ(ask(client, {"INCR", "n"}), std::to_string(i));
    }
    EXPECT_EQ(ask(client, {"CLIENT", "GETNAME"}), "\"worker\"");
    const auto hash = client.command({"HGETALL", "h"});
    ASSERT_TRUE(hash) << to_string(hash.error());
    EXPECT_EQ(hash->type, '%') << "no RESP3 any more";
    const auto info = ask(client, {"CLIENT", "INFO"});
    EXPECT_NE(info.find(" db=3 "), std::string::npos) << info;
    EXPECT_NE(info.find("flags=e"), std::string::npos) << info;
}

TEST_F(ServerFaults, a_client_whose_state_is_lost_with_its_connection_hears_of_it) {
    start();
    const std::vector<Commands> states = {
        {{"WATCH", "k"}},
        {{"MULTI"}},
        {{"MULTI"}, {"SET", "k", "v"}},
        {{"SUBSCRIBE", "news"}},
        {{"PSUBSCRIBE", "n*"}},
        {{"HELLO", "3"}, {"SUBSCRIBE", "news"}},
        {{"HELLO", "3"}, {"SSUBSCRIBE", "news"}},
        {{"HELLO", "3"}, {"CLIENT", "TRACKING", "ON"}, {"GET", "k"}},
        {{"MONITOR"}},
    };
    for (const auto& state : states) {
        auto client = connect();
        for (const auto& command : state)
            ASSERT_FALSE(ask(client, command).starts_with('-')) << command.front();
        for (const auto* type : {"normal", "pubsub"})
            admin({"CLIENT", "KILL", "TYPE", type});
        const auto ending = read_ending(client);
        EXPECT_TRUE(ending.has_ended) << state.back().front() << ": a gap is hidden";
        // A monitor sees the administrator's command; nobody else gets anything, least of all an error of ours.
        EXPECT_TRUE(ending.bytes.empty() || state.back().front() == "MONITOR") << ending.bytes;
    }
}

TEST_F(ServerFaults, a_client_that_counts_on_a_script_goes_on_only_where_the_server_knows_it) {
    start();
    const std::vector<std::string> evalsha = {"EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"};
    for (const auto& teaching : Commands{{"EVAL", "return 1", "0"}, {"SCRIPT", "LOAD", "return 1"}}) {
        auto client = connect();
        ASSERT_FALSE(ask(client, teaching).starts_with('-'));
        for (int i = 0; i < 3; ++i) {
            kill_upstreams();
            ASSERT_EQ(ask(client, evalsha), "1");
        }
        admin({"SCRIPT", "FLUSH"});
        kill_upstreams();
        const auto ending = read_ending(client);
        EXPECT_TRUE(ending.has_ended) << "EVALSHA would fail in its transactions";
        EXPECT_EQ(ending.bytes, "");
    }
}

TEST_F(ServerFaults, a_blocked_client_hears_that_its_connection_was_cut) {
    start();
    auto client = connect();
    ASSERT_TRUE(client.send(encode_command({"BLPOP", "jobs", "0"})));
    ASSERT_TRUE(valkey().await_blocked(1));
    kill_upstreams();
    const auto ending = read_ending(client);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_EQ(ending.bytes, "");
    EXPECT_EQ(admin({"RPUSH", "jobs", "1"}), "1");
    EXPECT_EQ(admin({"LLEN", "jobs"}), "1");
}

TEST_F(ServerFaults, cuts_under_load_lose_no_write_and_repeat_none) {
    start();
    start_journals();
    for (int i = 0; i < 20; ++i) {
        admin({"CLIENT", "KILL", "TYPE", "normal"});
        ASSERT_TRUE(journals_advance(20));
    }
    expect_journals_true();
    for (const auto& journal : journals_)
        EXPECT_EQ(journal->refused(), 0u) << journal->last_refusal();
}

TEST_F(ServerFaults, a_server_that_sleeps_delays_and_nothing_else) {
    start();
    start_journals();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(admin({"DEBUG", "SLEEP", "0.2"}), "+OK");
        ASSERT_TRUE(journals_advance(20));
    }
    expect_journals_undisturbed();
}

TEST_F(ServerFaults, a_server_that_sleeps_longer_than_the_hold_costs_only_new_clients_an_answer) {
    start({.proxy = {.connect_hold = 500ms, .warm_spares = 0}});
    start_journals();
    // A client that had just logged in waits for its answer through all of the server's sleep: the next one has
    // another.
    std::jthread sleeper([this](const std::stop_token& is_over) {
        while (!is_over.stop_requested())
            EXPECT_EQ(admin({"DEBUG", "SLEEP", "1.5"}), "+OK");
    });
    // From when on it sleeps, nobody can say but a client that is not answered.
    std::string first;
    ASSERT_TRUE(eventually([&] {
        auto late = connect();
        first = ask(late, {"PING"});
        return first != "+PONG";
    })) << "every new client was served";
    EXPECT_TRUE(is_local_error(first + "\r\n", "LOADING", "UpstreamUnreachable"));
    sleeper.request_stop();
    sleeper.join();
    ASSERT_TRUE(journals_advance(20));
    expect_journals_undisturbed();
}

TEST_F(ServerFaults, a_pause_of_all_clients_delays_and_nothing_else) {
    start();
    start_journals();
    EXPECT_EQ(admin({"CLIENT", "PAUSE", "400", "ALL"}), "+OK");
    ASSERT_TRUE(journals_advance(20));
    expect_journals_undisturbed();
}

TEST_F(ServerFaults, a_pause_of_writes_lets_reads_through) {
    start();
    auto writer = connect();
    auto reader = connect();
    ASSERT_EQ(ask(writer, {"SET", "k", "before"}), "+OK");
    ASSERT_EQ(ask(reader, {"GET", "k"}), "\"before\"");
    EXPECT_EQ(admin({"CLIENT", "PAUSE", "60000", "WRITE"}), "+OK");
    ASSERT_TRUE(writer.send(encode_command({"SET", "k", "after"})));
    for (int i = 0; i < 20; ++i)
        ASSERT_EQ(ask(reader, {"GET", "k"}), "\"before\"");
    EXPECT_EQ(admin({"CLIENT", "UNPAUSE"}), "+OK");
    const auto reply = writer.read_reply();
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_EQ(to_string(*reply), "+OK");
    EXPECT_EQ(ask(reader, {"GET", "k"}), "\"after\"");
}

TEST_F(ServerFaults, a_stopped_server_goes_on_where_it_was) {
    start({.proxy = {.connect_hold = 500ms, .warm_spares = 0}});
    start_journals();
    server().pause();
    auto late = connect();
    ASSERT_TRUE(late.send(encode_command({"PING"})));
    const auto ending = read_ending(late);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_TRUE(is_local_error(ending.bytes, "LOADING", "UpstreamUnreachable"));
    ASSERT_TRUE(server().resume());
    ASSERT_TRUE(journals_advance(20));
    expect_journals_undisturbed();
    let_proxy_catch_up();
}

TEST_F(ServerFaults, kill_9_loses_no_acknowledged_write_and_repeats_none) {
    start();
    start_journals();
    for (int i = 0; i < 3; ++i) {
        server().kill();
        const auto again = server().restart();
        ASSERT_TRUE(again) << to_string(again.error());
        ASSERT_TRUE(journals_advance(20));
    }
    expect_journals_true();
}

}  // namespace
}  // namespace cvp::test
