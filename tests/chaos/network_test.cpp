// The network between proxy and server: slow, cut to pieces, frozen, broken at every byte.
#include <chrono>

#include "tests/chaos/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class Network : public ChaosTest {
protected:
    static ProxiedValkeyOptions patient(bool tls) {
        return {.tls = tls, .proxy = {.connect_hold = 10s, .warm_spares = 0}};
    }

    /// A client whose connection to the server breaks as `faults` say, with three commands in one write. It must get
    /// the beginning of the three replies and then, if they are not whole, the end; its write must be executed at most
    /// once, and once if it heard so.
    void expect_honest(const PipeFaults& faults, const std::string& key, int& broken) {
        pipe().set(faults, 1);
        auto client = connect();
        const std::string echo(20, 'e');
        ASSERT_TRUE(
            client.send(encode_command({"INCR", key}) + encode_command({"ECHO", echo}) + encode_command({"GET", key})));
        const std::string whole = ":1\r\n$20\r\n" + echo + "\r\n$1\r\n1\r\n";
        std::string got;
        bool has_ended = false;
        while (got.size() < whole.size() && !has_ended) {
            const auto piece = client.stream().read_some(20s);
            ASSERT_TRUE(piece || piece.error().code != ErrorCode::timeout) << "neither replies nor an end";
            has_ended = !piece || piece->empty();
            if (!has_ended) got += *piece;
        }
        EXPECT_TRUE(whole.starts_with(got)) << "invented: " << got;
        broken += has_ended ? 1 : 0;
        const auto count = admin({"GET", key});
        EXPECT_TRUE(count == "\"1\"" || (count == "(null)" && !got.starts_with(":1\r\n"))) << count << " after " << got;
    }

    void expect_honest_everywhere(bool is_up, Cut cut, std::size_t from, std::size_t to, std::size_t step) {
        int broken = 0;
        for (auto limit = from; limit <= to; limit += step) {
            PipeFaults faults;
            (is_up ? faults.up_limit : faults.down_limit) = limit;
            faults.cut = cut;
            const auto key = (is_up ? "up:" : "down:") + std::to_string(limit);
            expect_honest(faults, key, broken);
            ASSERT_FALSE(HasFailure()) << "cut after byte " << limit << (is_up ? " up" : " down");
        }
        EXPECT_GT(broken, 0) << "no cut was felt: the sweep proves nothing";
        EXPECT_EQ(proxy().ask({"PING"}), "+PONG");
    }
};

TEST_F(Network, a_plain_connection_may_break_at_any_byte_of_what_comes) {
    start_piped(patient(false));
    expect_honest_everywhere(false, Cut::fin, 1, 90, 1);
}

TEST_F(Network, a_plain_connection_may_be_reset_at_any_byte_of_what_goes) {
    start_piped(patient(false));
    expect_honest_everywhere(true, Cut::reset, 1, 180, 2);
}

TEST_F(Network, a_connection_with_tls_may_break_anywhere) {
    start_piped(patient(true));
    expect_honest_everywhere(false, Cut::fin, 1, 3000, 61);
    expect_honest_everywhere(true, Cut::fin, 1, 1500, 61);
}

TEST_F(Network, a_connection_with_tls_may_be_reset_anywhere) {
    start_piped(patient(true));
    expect_honest_everywhere(false, Cut::reset, 1, 3000, 67);
    expect_honest_everywhere(true, Cut::reset, 1, 1500, 67);
}

TEST_F(Network, dials_that_fail_cost_a_waiting_client_nothing_but_time) {
    start_piped(patient(true));
    pipe().set({.down_limit = 700, .cut = Cut::reset}, 4);
    auto client = connect();
    EXPECT_EQ(ask(client, {"INCR", "n"}), "1");
    pipe().set({.up_limit = 400}, 4);
    auto other = connect();
    EXPECT_EQ(ask(other, {"INCR", "n"}), "2");
}

TEST_F(Network, latency_delays_but_does_not_serialise) {
    start_server({});
    pipe().set({.latency = 25ms});
    valkey().start_proxy(valkey().document(pipe().port()));
    auto client = connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    std::string commands;
    for (int i = 0; i < 1000; ++i)
        commands += encode_command({"INCR", "n"});
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.send(commands));
    for (int i = 1; i <= 1000; ++i) {
        const auto reply = client.read_reply();
        ASSERT_TRUE(reply) << to_string(reply.error());
        ASSERT_EQ(reply->text, std::to_string(i));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s) << "1000 round trips would be 50 s";
}

TEST_F(Network, one_byte_at_a_time_changes_no_byte) {
    const std::string script =
        encode_command({"HELLO", "3"}) + encode_command({"DEL", "h", "z"}) +
        encode_command({"HSET", "h", "a", "1", "b", "2"}) + encode_command({"HGETALL", "h"}) +
        encode_command({"ZADD", "z", "1.5", "a", "2", "b"}) + encode_command({"ZRANGE", "z", "0", "-1", "WITHSCORES"}) +
        encode_command({"GET", "missing"}) + encode_command({"SET", "s", std::string(3000, 's')}) +
        encode_command({"GET", "s"}) + encode_command({"NOSUCH", "command"}) + "PING\r\n" +
        encode_command({"SUBSCRIBE", "a", "b"}) + encode_command({"PING", "x"}) + encode_command({"UNSUBSCRIBE"}) +
        encode_command({"MULTI"}) + encode_command({"INCR", "n"}) + encode_command({"HGETALL", "h"}) +
        encode_command({"EXEC"}) + encode_command({"EVAL", "return {1,{2,{3,'four'}},false}", "0"}) +
        encode_command({"QUIT"});
    const auto play = [&](RespClient client, const std::string& how) {
        EXPECT_TRUE(client.send(script));
        auto [bytes, has_ended, was_reset] = read_ending(client, 5s);
        EXPECT_TRUE(has_ended) << how << ", after QUIT";
        EXPECT_FALSE(was_reset) << how;
        // HELLO's id is the connection's number.
        const auto id = bytes.find("\r\n$2\r\nid\r\n:");
        if (id != std::string::npos) bytes.erase(id + 11, bytes.find("\r\n", id + 11) - id - 11);
        return bytes;
    };
    start_server({});
    pipe().set({.slice = 1});
    valkey().start_proxy(valkey().document(pipe().port()));
    const auto through = play(connect(), "through the proxy");
    admin({"FLUSHALL"});
    auto direct = RespClient::connect_tls("127.0.0.1", server().port(), valkey().ca().client());
    ASSERT_TRUE(direct) << to_string(direct.error());
    ASSERT_EQ(ask(*direct, {"AUTH", ProxiedValkey::kPassword}), "+OK");
    const auto expected = play(std::move(*direct), "directly");
    EXPECT_EQ(through, expected);
    EXPECT_GT(expected.size(), 3000u);
}

TEST_F(Network, resets_under_load_lose_no_write_and_repeat_none) {
    start_piped();
    start_journals();
    for (int i = 0; i < 20; ++i) {
        pipe().cut_all(i % 2 == 0 ? Cut::reset : Cut::fin);
        ASSERT_TRUE(journals_advance(20));
    }
    expect_journals_true();
    for (const auto& journal : journals_)
        EXPECT_EQ(journal->refused(), 0u) << journal->last_refusal();
}

TEST_F(Network, a_link_that_freezes_and_thaws_loses_nothing) {
    start_piped({.proxy = {.connect_hold = 500ms, .warm_spares = 0}});
    start_journals();
    pipe().freeze();
    EXPECT_TRUE(is_local_error(proxy().ping_bytes(), "LOADING", "UpstreamUnreachable"));
    pipe().thaw();
    ASSERT_TRUE(journals_advance(20));
    expect_journals_undisturbed();
    let_proxy_catch_up();
}

TEST_F(Network, a_link_that_freezes_and_breaks_ends_who_was_on_it) {
    start_piped({.proxy = {.connect_hold = 500ms, .warm_spares = 0}});
    start_journals();
    auto busy = connect();
    ASSERT_EQ(ask(busy, {"PING"}), "+PONG");
    pipe().freeze();
    ASSERT_TRUE(busy.send(encode_command({"INCR", "n"})));
    EXPECT_TRUE(is_local_error(proxy().ping_bytes(), "LOADING", "UpstreamUnreachable"));
    pipe().cut_all(Cut::reset);
    const auto ending = read_ending(busy);
    EXPECT_TRUE(ending.has_ended);
    EXPECT_EQ(ending.bytes, "");
    pipe().thaw();
    ASSERT_TRUE(journals_advance(20));
    expect_journals_true();
    EXPECT_EQ(admin({"GET", "n"}), "(null)");
}

}  // namespace
}  // namespace cvp::test
