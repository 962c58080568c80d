// What clients get that come while the upstream is not there.
#include <chrono>
#include <thread>

#include "tests/chaos/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock;

class Hold : public ChaosTest {
protected:
    /// The proxy runs, its way to the server is closed.
    void start_without_server(std::chrono::milliseconds hold) {
        start_server({.proxy = {.connect_hold = hold, .warm_spares = 0}});
        pipe().close();
        valkey().start_proxy_alone(valkey().document(pipe().port()));
    }
};

TEST_F(Hold, is_a_second_and_a_half_and_ends_before_jedis_gives_up) {
    start_server({.proxy = {.warm_spares = 0}});
    pipe().close();
    valkey().start_proxy_alone(valkey().document(pipe().port()));
    auto client = connect();
    const auto begin = SteadyTime::now();
    ASSERT_TRUE(client.send(encode_command({"PING"})));
    const auto ending = read_ending(client);
    const auto took = SteadyTime::now() - begin;
    EXPECT_TRUE(ending.has_ended);
    EXPECT_FALSE(ending.was_reset) << "a reset may destroy our last words";
    EXPECT_TRUE(is_local_error(ending.bytes, "LOADING", "UpstreamUnreachable"));
    EXPECT_GE(took, 1400ms);
    EXPECT_LT(took, 2s);
}

TEST_F(Hold, one_error_answers_whatever_came) {
    start_without_server(200ms);
    const std::vector<std::string> first_words = {
        encode_command({"PING"}),
        encode_command({"HELLO", "3"}),
        encode_command({"HELLO", "3", "AUTH", "default", "x"}) + encode_command({"CLIENT", "SETINFO", "LIB-NAME", "x"}),
        encode_command({"AUTH", "x"}) + encode_command({"SELECT", "1"}) + encode_command({"GET", "k"}),
        "PING\r\n",
        "*2\r\n$3\r\nGET\r\n",  // and the rest never comes
    };
    for (const auto& words : first_words) {
        auto client = connect();
        ASSERT_TRUE(client.send(words));
        const auto ending = read_ending(client);
        EXPECT_TRUE(ending.has_ended) << words;
        EXPECT_FALSE(ending.was_reset) << words;
        EXPECT_TRUE(is_local_error(ending.bytes, "LOADING", "UpstreamUnreachable")) << words;
    }
}

TEST_F(Hold, a_client_that_goes_on_writing_after_our_answer_still_gets_it) {
    start_without_server(100ms);
    auto client = connect();
    const auto piece = encode_command({"SET", "k", std::string(1000, 'x')});
    for (int i = 0; i < 30; ++i)
        ASSERT_TRUE(client.send(piece));
    const auto ending = read_ending(client);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_FALSE(ending.was_reset);
    EXPECT_TRUE(is_local_error(ending.bytes, "LOADING", "UpstreamUnreachable"));
}

TEST_F(Hold, a_server_that_comes_back_in_time_serves_who_waited) {
    start_without_server(20s);
    std::vector<RespClient> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(connect());
        ASSERT_TRUE(clients.back().send(encode_command({"HELLO", "3"}) + encode_command({"INCR", "n"}) +
                                        encode_command({"ECHO", std::to_string(i)})));
    }
    pipe().open();
    for (std::size_t i = 0; i < clients.size(); ++i) {
        const auto hello = clients[i].read_reply();
        ASSERT_TRUE(hello) << to_string(hello.error());
        EXPECT_EQ(hello->type, '%') << to_string(*hello);
        const auto count = clients[i].read_reply();
        ASSERT_TRUE(count) << to_string(count.error());
        EXPECT_EQ(count->type, ':') << to_string(*count);
        EXPECT_EQ(to_string(*clients[i].read_reply()), "\"" + std::to_string(i) + "\"");
    }
    EXPECT_EQ(admin({"GET", "n"}), "\"20\"");
}

TEST_F(Hold, more_than_can_be_held_waits_in_the_client) {
    start_without_server(20s);
    auto client = connect();
    std::string bytes;
    for (int i = 0; i < 400; ++i)
        bytes += encode_command({"RPUSH", "list", std::to_string(i), std::string(1000, 'x')});
    std::jthread writer([&] { EXPECT_TRUE(client.send(bytes, 20s)); });
    pipe().open();
    writer.join();
    for (int i = 1; i <= 400; ++i) {
        const auto reply = client.read_reply();
        ASSERT_TRUE(reply) << to_string(reply.error());
        ASSERT_EQ(reply->text, std::to_string(2 * i));
    }
}

TEST_F(Hold, what_a_client_said_that_went_away_is_not_executed) {
    start_server({.proxy = {.connect_hold = 20s, .warm_spares = 0}});
    pipe().freeze();
    valkey().start_proxy_alone(valkey().document(pipe().port()));
    for (int i = 0; i < 4; ++i) {
        auto client = connect();
        ASSERT_TRUE(client.send(encode_command({"INCR", "gone"})));
        if (i % 2 == 1) client.stream().reset_on_close();
    }
    auto patient = connect();
    ASSERT_TRUE(patient.send(encode_command({"INCR", "here"})));
    // A client that closes looks like one that only finished writing: it is served if the first dial succeeds at once.
    // So the server is there only once the proxy has given them up.
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_clients_open") == 1; }));
    pipe().thaw();
    const auto reply = patient.read_reply();
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_EQ(reply->text, "1");
    let_proxy_catch_up();
    EXPECT_EQ(admin({"GET", "gone"}), "(null)");
}

TEST_F(Hold, after_one_in_vain_clients_are_answered_at_once_until_a_dial_succeeds) {
    start_without_server(1s);
    auto first = connect();
    ASSERT_TRUE(first.send(encode_command({"PING"})));
    ASSERT_TRUE(is_local_error(read_ending(first).bytes, "LOADING", "UpstreamUnreachable"));
    for (int i = 0; i < 5; ++i) {
        const auto begin = SteadyTime::now();
        auto client = connect();
        ASSERT_TRUE(client.send(encode_command({"PING"})));
        EXPECT_TRUE(is_local_error(read_ending(client).bytes, "LOADING", "UpstreamUnreachable"));
        EXPECT_LT(SteadyTime::now() - begin, 700ms) << "it was held";
    }
    pipe().open();
    ASSERT_TRUE(eventually([&] { return proxy().ask({"PING"}) == "+PONG"; }, 10s));
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(proxy().ask({"PING"}), "+PONG") << "the first success was to end it";
}

TEST_F(Hold, a_client_that_had_replies_gets_no_error_that_the_server_never_said) {
    start({.proxy = {.connect_hold = 300ms, .warm_spares = 1}});
    auto idle = connect();
    auto busy = connect();
    ASSERT_EQ(ask(idle, {"SET", "k", "v"}), "+OK");
    ASSERT_EQ(ask(busy, {"SET", "k", "v"}), "+OK");
    ASSERT_TRUE(busy.send(encode_command({"BLPOP", "jobs", "0"})));
    ASSERT_TRUE(valkey().await_blocked(1));
    server().kill();
    const auto end_of_busy = read_ending(busy);
    EXPECT_TRUE(end_of_busy.has_ended);
    EXPECT_EQ(end_of_busy.bytes, "");
    (void)idle.send(encode_command({"GET", "k"}));
    const auto end_of_idle = read_ending(idle);
    EXPECT_TRUE(end_of_idle.has_ended);
    EXPECT_EQ(end_of_idle.bytes, "");
}

TEST_F(Hold, an_idle_client_outlives_a_server_that_is_away_for_less) {
    start({.proxy = {.connect_hold = 20s, .warm_spares = 1}});
    auto client = connect();
    ASSERT_EQ(ask(client, {"SELECT", "2"}), "+OK");
    ASSERT_EQ(ask(client, {"SET", "k", "v"}), "+OK");
    server().kill();
    const auto again = server().restart();
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ(ask(client, {"GET", "k"}), "\"v\"");
}

}  // namespace
}  // namespace cvp::test
