#include "proxy/session/conversation.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/session/fake_wire.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kNow{1h};
constexpr const char* kPing = "*1\r\n$4\r\nPING\r\n";
const std::string kLogin =
    std::string("*2\r\n$4\r\nAUTH\r\n$5\r\ntoken\r\n*2\r\n$4\r\nPING\r\n$16\r\n") + FakeWire::kNonce + "\r\n";
const std::string kNonceReply = std::string("$16\r\n") + FakeWire::kNonce + "\r\n";

std::string words(const std::vector<std::string_view>& list) {
    std::string command;
    append_command(command, list);
    return command;
}

struct ConversationTest : ::testing::Test {
    /// The client sends a command; what reaches the server.
    std::string client(const std::vector<std::string_view>& command) { return client_bytes(words(command)); }
    std::string client_bytes(std::string_view bytes) {
        EXPECT_EQ(talk.on_client_bytes(bytes, kNow), bytes.size());
        return wire.take_server();
    }
    /// The server answers; what reaches the client.
    std::string server(std::string_view bytes) {
        talk.on_server_bytes(bytes, kNow);
        return wire.take_client();
    }
    void inject_login() {
        ASSERT_TRUE(talk.can_log_in());
        talk.inject_login(*wire.login_after_reset(), kNow);
        EXPECT_EQ(wire.take_server(), kLogin);
    }

    FakeWire wire;
    Conversation talk{wire, ClientPolicy{}};
};

TEST_F(ConversationTest, passes_commands_and_replies_as_they_are) {
    const auto set = words({"SET", "k", "v"}), get = words({"GET", "k"});
    EXPECT_EQ(client_bytes(set + get + "PING\r\n"), set + get + "PING\r\n");
    EXPECT_FALSE(talk.is_idle());
    EXPECT_EQ(server("+OK\r\n$1\r\nv\r\n+PONG\r\n"), "+OK\r\n$1\r\nv\r\n+PONG\r\n");
    EXPECT_TRUE(talk.is_idle());
    EXPECT_EQ(wire.replies, 3u);
    EXPECT_EQ(wire.commands, (std::vector<std::string>{"set", "get", "ping"}));
}

TEST_F(ConversationTest, passes_every_byte_at_once_however_it_is_cut) {
    const auto bytes = words({"SET", "k", std::string(200, 'v')});
    std::string sent;
    for (const char byte : bytes)
        sent += client_bytes({&byte, 1});
    EXPECT_EQ(sent, bytes);
    std::string got;
    for (const char byte : std::string("$3\r\nabc\r\n"))
        got += server({&byte, 1});
    EXPECT_EQ(got, "$3\r\nabc\r\n");
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, replies_that_come_together_are_told_apart_where_they_matter) {
    client_bytes(words({"GET", "a"}) + words({"GET", "b"}) + words({"SELECT", "1"}) + words({"GET", "c"}));
    const std::string replies = "$1\r\n1\r\n-ERR no\r\n+OK\r\n$-1\r\n";
    EXPECT_EQ(server(replies), replies);
    EXPECT_EQ(talk.state().db, "1");
    EXPECT_EQ(wire.errors, std::vector<std::string>{"-ERR no\r\n"});
    EXPECT_EQ(wire.replies, 4u);
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, tells_how_long_the_replies_to_each_write_took) {
    talk.on_client_bytes(words({"GET", "a"}) + words({"GET", "b"}), kNow);
    talk.on_client_bytes(words({"GET", "c"}), kNow + 1ms);
    talk.on_server_bytes("$-1\r\n", kNow + 2ms);
    talk.on_server_bytes("$-1\r\n:1\r\n", kNow + 5ms);
    using Wait = std::pair<std::uint32_t, SteadyClock::duration>;
    EXPECT_EQ(wire.waits, (std::vector<Wait>{{1, 2ms}, {1, 5ms}, {1, 4ms}}));
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, answers_a_login_in_its_place_among_the_replies) {
    EXPECT_EQ(client_bytes(words({"GET", "a"}) + words({"AUTH", "secret"}) + words({"GET", "b"})),
              words({"GET", "a"}) + kPing + words({"GET", "b"}));
    EXPECT_EQ(server("$1\r\n1\r\n"), "$1\r\n1\r\n");
    EXPECT_EQ(server("+PONG\r\n$1\r\n2\r\n"), "+OK\r\n$1\r\n2\r\n");
}

TEST_F(ConversationTest, never_shows_credentials_to_the_server) {
    EXPECT_EQ(client({"HELLO", "3", "AUTH", "joe", "secret", "SETNAME", "app"}),
              words({"HELLO", "3", "SETNAME", "app"}));
    server("%1\r\n$5\r\nproto\r\n:3\r\n");
    EXPECT_EQ(talk.state().protocol, 3);
    EXPECT_EQ(talk.state().name, "app");
    EXPECT_EQ(client({"HELLO", "3", "AUTH", "joe"}), words({"HELLO", "3", "AUTH"})) << "the server calls it an error";
    EXPECT_EQ(client({"auth", "a", "b", "c"}), kPing);
    EXPECT_EQ(server("-ERR Syntax error in HELLO option 'AUTH'\r\n+PONG\r\n"),
              "-ERR Syntax error in HELLO option 'AUTH'\r\n-ERR syntax error\r\n");
}

TEST_F(ConversationTest, a_login_uses_up_a_skipped_reply_as_it_would_at_the_server) {
    EXPECT_EQ(client_bytes(words({"CLIENT", "REPLY", "SKIP"}) + words({"AUTH", "x"}) + words({"GET", "a"})),
              words({"CLIENT", "REPLY", "SKIP"}) + kPing + words({"GET", "a"}));
    EXPECT_EQ(server("$1\r\n1\r\n"), "$1\r\n1\r\n");
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, an_empty_command_uses_up_a_skipped_reply) {
    client_bytes(words({"CLIENT", "REPLY", "SKIP"}) + "*0\r\n" + words({"AUTH", "x"}));
    EXPECT_EQ(server("+PONG\r\n"), "+OK\r\n");
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, switching_replies_on_is_answered_where_it_was_to_be_skipped) {
    client_bytes(words({"CLIENT", "REPLY", "SKIP"}) + words({"CLIENT", "REPLY", "ON"}) + words({"AUTH", "x"}));
    EXPECT_EQ(server("+OK\r\n+PONG\r\n"), "+OK\r\n+OK\r\n");
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, expects_no_replies_while_they_are_off) {
    client({"CLIENT", "REPLY", "OFF"});
    client({"SET", "a", "1"});
    EXPECT_TRUE(talk.is_idle());
    EXPECT_FALSE(talk.can_log_in());
    EXPECT_EQ(talk.cannot_move_because(), "reply_off");
    client({"CLIENT", "REPLY", "ON"});
    EXPECT_FALSE(talk.is_idle());
    server("+OK\r\n");
    EXPECT_TRUE(talk.can_log_in());
}

TEST_F(ConversationTest, answers_for_the_server_what_would_lead_clients_past_us) {
    EXPECT_EQ(client({"CLIENT", "MAINT_NOTIFICATIONS", "ON"}), kPing);
    EXPECT_EQ(client({"client", "capa", "redirect"}), kPing);
    EXPECT_EQ(server("+PONG\r\n+PONG\r\n"),
              "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n+OK\r\n");
}

// --- our own login behind its fence -------------------------------------------------------------------------------

TEST_F(ConversationTest, logs_in_again_unseen_in_the_midst_of_a_pipeline) {
    client({"GET", "a"});
    inject_login();
    client({"GET", "b"});
    EXPECT_EQ(server("$1\r\n1\r\n+OK\r\n" + kNonceReply + "$1\r\n2\r\n"), "$1\r\n1\r\n$1\r\n2\r\n");
    EXPECT_EQ(wire.login_answers, std::vector<std::string>{"+OK"});
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, sees_a_refused_login_that_the_server_keeps_silent_about) {
    client({"GET", "a"});
    inject_login();
    client({"GET", "b"});
    EXPECT_EQ(server("$1\r\n1\r\n" + kNonceReply + "$1\r\n2\r\n"), "$1\r\n1\r\n$1\r\n2\r\n");
    EXPECT_EQ(wire.login_answers, std::vector<std::string>{""});
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, sees_a_refused_login_that_the_server_tells_of) {
    inject_login();
    EXPECT_EQ(server("-WRONGPASS no\r\n" + kNonceReply), "");
    EXPECT_EQ(wire.login_answers, std::vector<std::string>{"-WRONGPASS no"});
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, a_user_that_may_not_ping_is_logged_in_all_the_same) {
    inject_login();
    EXPECT_EQ(server("+OK\r\n-NOPERM User default has no permissions to run the 'ping' command\r\n"), "");
    EXPECT_EQ(wire.login_answers, std::vector<std::string>{"+OK"});
    EXPECT_EQ(wire.lost, "");
}

TEST_F(ConversationTest, keeps_its_own_answers_back_however_they_are_cut) {
    client({"GET", "a"});
    inject_login();
    client({"GET", "b"});
    std::string got;
    for (const char byte : "$1\r\n1\r\n+OK\r\n" + kNonceReply + "$1\r\n2\r\n")
        got += server({&byte, 1});
    EXPECT_EQ(got, "$1\r\n1\r\n$1\r\n2\r\n");
}

TEST_F(ConversationTest, a_server_that_ends_in_the_midst_of_our_login_owes_the_client_nothing) {
    inject_login();
    EXPECT_FALSE(talk.can_move());
    EXPECT_TRUE(talk.can_resume());
    server("+O");
    EXPECT_TRUE(talk.can_resume());
    client({"GET", "a"});
    EXPECT_FALSE(talk.can_resume());
}

TEST_F(ConversationTest, pushes_go_on_while_it_logs_in) {
    client({"HELLO", "3"});
    server("%0\r\n");
    client({"SUBSCRIBE", "news"});
    server(">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    inject_login();
    const std::string push = ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n";
    EXPECT_EQ(server(push + "+OK\r\n" + push + kNonceReply + push), push + push + push);
}

TEST_F(ConversationTest, an_answer_that_makes_no_sense_ends_it_before_anything_passes) {
    inject_login();
    EXPECT_EQ(server(":7\r\n+later\r\n"), "");
    EXPECT_NE(wire.lost, "");
    EXPECT_EQ(server("+more\r\n"), "");
}

TEST_F(ConversationTest, does_not_log_in_where_it_would_be_seen) {
    EXPECT_TRUE(talk.can_log_in());
    client({"MULTI"});
    EXPECT_FALSE(talk.can_log_in());
    client({"EXEC"});
    EXPECT_TRUE(talk.can_log_in());
    client({"CLIENT", "CACHING", "YES"});
    EXPECT_FALSE(talk.can_log_in());
    client({"GET", "a"});
    EXPECT_TRUE(talk.can_log_in());
    client({"ASKING"});
    EXPECT_FALSE(talk.can_log_in());
    client({"GET", "a"});
    client({"CLIENT", "REPLY", "SKIP"});
    EXPECT_FALSE(talk.can_log_in());
    client({"GET", "a"});
    EXPECT_TRUE(talk.can_log_in());
    client({"WATCH", "a"});
    EXPECT_TRUE(talk.can_log_in()) << "WATCH survives AUTH";
    client({"BLPOP", "a", "0"});
    EXPECT_FALSE(talk.can_log_in()) << "the token could be stale by the time it is read";
}

TEST_F(ConversationTest, does_not_log_in_inside_a_command) {
    client_bytes("*2\r\n$3\r\nGET\r\n$1\r\n");
    EXPECT_FALSE(talk.can_log_in());
    client_bytes("a\r\n");
    EXPECT_TRUE(talk.can_log_in());
}

TEST_F(ConversationTest, does_not_log_in_for_a_subscriber_of_resp2) {
    client({"SUBSCRIBE", "news"});
    EXPECT_FALSE(talk.can_log_in());
    server("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    EXPECT_FALSE(talk.can_log_in());
    client({"UNSUBSCRIBE"});
    server("*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n");
    EXPECT_TRUE(talk.can_log_in());
}

// --- RESET ---------------------------------------------------------------------------------------------------------

TEST_F(ConversationTest, a_reset_is_followed_by_the_login_in_the_same_write) {
    client({"SELECT", "3"});
    server("+OK\r\n");
    EXPECT_EQ(talk.state().db, "3");
    EXPECT_EQ(client({"RESET"}), words({"RESET"}) + kLogin);
    EXPECT_EQ(server("+RESET\r\n+OK\r\n" + kNonceReply), "+RESET\r\n");
    EXPECT_EQ(talk.state(), ClientState{});
    EXPECT_EQ(wire.lost, "");
}

TEST_F(ConversationTest, a_refused_login_after_a_reset_ends_it) {
    client_bytes(words({"RESET"}) + words({"GET", "a"}));
    EXPECT_EQ(server("+RESET\r\n" + kNonceReply + "$-1\r\n"), "+RESET\r\n");
    EXPECT_NE(wire.lost, "");
}

TEST_F(ConversationTest, resets_may_follow_each_other) {
    client_bytes(words({"RESET"}) + words({"RESET"}) + words({"GET", "a"}));
    const auto reset = "+RESET\r\n+OK\r\n" + kNonceReply;
    EXPECT_EQ(server(reset + reset + "$-1\r\n"), "+RESET\r\n+RESET\r\n$-1\r\n");
    EXPECT_EQ(wire.lost, "");
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, a_reset_makes_an_opaque_client_known_again) {
    client_bytes(words({"SELECT", "2"}) + words({"MONITOR"}) + words({"GET", "a"}));
    EXPECT_TRUE(talk.is_opaque());
    EXPECT_EQ(client_bytes(words({"AUTH", "x"}) + words({"RESET"}) + words({"GET", "b"})),
              kPing + words({"RESET"}) + kLogin + words({"GET", "b"}));
    EXPECT_FALSE(talk.is_opaque());
    const std::string lines = "+OK\r\n+OK\r\n+1 [0 x] \"GET\" \"a\"\r\n+PONG\r\n+1 [0 x] \"PING\"\r\n+RESET\r\n";
    EXPECT_EQ(server(lines + "+OK\r\n" + kNonceReply + "$-1\r\n"), lines + "$-1\r\n");
    EXPECT_EQ(talk.state(), ClientState{});
    EXPECT_TRUE(talk.can_log_in());
    EXPECT_TRUE(talk.can_move());
}

TEST_F(ConversationTest, a_refused_login_after_the_reset_of_an_opaque_client_ends_it) {
    client_bytes(words({"CLIENT", "REPLY", "OFF"}) + words({"SUBSCRIBE", "a"}) + words({"RESET"}));
    EXPECT_EQ(server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n+RESET\r\n-WRONGPASS no\r\n"),
              "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n+RESET\r\n");
    EXPECT_NE(wire.lost, "");
}

TEST_F(ConversationTest, a_reset_whose_reply_could_not_be_found_ends_it) {
    client_bytes(words({"MULTI"}) + words({"SUBSCRIBE", "a"}));
    EXPECT_EQ(client({"RESET"}), "");
    EXPECT_NE(wire.lost, "");

    FakeWire other;
    Conversation monitor(other, ClientPolicy{});
    monitor.on_client_bytes(words({"MONITOR"}) + words({"CLIENT", "REPLY", "SKIP"}) + words({"RESET"}), kNow);
    EXPECT_NE(other.lost, "") << "the server skips the reply to RESET, too";
}

TEST_F(ConversationTest, without_a_login_of_ours_a_reset_passes) {
    wire.has_login = false;
    EXPECT_EQ(client({"RESET"}), words({"RESET"}));
    EXPECT_EQ(server("+RESET\r\n"), "+RESET\r\n");
    EXPECT_TRUE(talk.is_idle());
}

// --- subscriptions -------------------------------------------------------------------------------------------------

TEST_F(ConversationTest, a_subscription_has_a_reply_for_each_name) {
    client_bytes(words({"SUBSCRIBE", "a", "b"}) + words({"PSUBSCRIBE", "p*"}));
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n");
    EXPECT_FALSE(talk.is_idle());
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:3\r\n");
    EXPECT_TRUE(talk.is_idle());
    EXPECT_EQ(talk.state().subscriptions.channels.size(), 2u);
    client({"UNSUBSCRIBE"});
    server("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n");
    EXPECT_FALSE(talk.is_idle());
    server("*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n");
    EXPECT_TRUE(talk.is_idle());
    EXPECT_TRUE(talk.is_subscribed()) << "to the pattern";
}

TEST_F(ConversationTest, a_refused_subscription_has_one_reply) {
    client_bytes(words({"SUBSCRIBE", "a", "b", "c"}) + words({"GET", "k"}));
    EXPECT_EQ(server("-NOPERM no\r\n$1\r\n1\r\n"), "-NOPERM no\r\n$1\r\n1\r\n");
    EXPECT_TRUE(talk.is_idle());
    EXPECT_FALSE(talk.is_subscribed());
}

TEST_F(ConversationTest, a_subscriber_that_goes_back_to_resp2_is_bound_by_it_at_once) {
    client({"HELLO", "3"});
    server("%0\r\n");
    client({"SUBSCRIBE", "a"});
    server(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    EXPECT_TRUE(talk.can_log_in());
    client({"HELLO", "2"});
    EXPECT_FALSE(talk.can_log_in());
    const auto capa = words({"CLIENT", "CAPA", "redirect"});
    EXPECT_EQ(client_bytes(capa), capa) << "the server refuses it, in its own words";
}

TEST_F(ConversationTest, a_change_of_protocol_inside_a_transaction_makes_it_opaque) {
    client({"HELLO", "3"});
    server("%0\r\n");
    client({"MULTI"});
    EXPECT_EQ(client({"HELLO", "2"}), words({"HELLO", "2"}));
    client_bytes(words({"EXEC"}) + words({"SUBSCRIBE", "a"}));
    const std::string replies = "+OK\r\n+QUEUED\r\n*1\r\n*0\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    EXPECT_EQ(server(replies), replies);
    EXPECT_FALSE(talk.can_log_in());
    EXPECT_EQ(talk.cannot_move_because(), "opaque");
}

TEST_F(ConversationTest, unsubscribing_from_nothing_has_one_reply) {
    client({"UNSUBSCRIBE"});
    server("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    EXPECT_TRUE(talk.is_idle());
}

TEST_F(ConversationTest, a_subscriber_of_resp2_that_logs_in_hears_that_it_may_not) {
    client({"SUBSCRIBE", "a"});
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    EXPECT_EQ(client({"AUTH", "x"}), kPing);
    EXPECT_EQ(server("*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
              "-ERR Can't execute 'auth': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
              "this context\r\n");
}

// --- what cannot be repeated, and what is not understood -----------------------------------------------------------

TEST_F(ConversationTest, a_subscriber_of_resp2_whose_hello_is_refused_stays_one) {
    const std::string refused = "-ERR Can't execute 'hello': only (P|S)SUBSCRIBE …\r\n";
    const auto capa = words({"CLIENT", "CAPA", "redirect"});
    client({"SUBSCRIBE", "a"});
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    EXPECT_EQ(client_bytes(words({"HELLO", "3"}) + capa), words({"HELLO", "3"}) + capa) << "in one write";
    server(refused + refused);
    EXPECT_EQ(client_bytes(capa), capa) << "later";
    server(refused);
    client({"AUTH", "x"});
    EXPECT_NE(server("*2\r\n$4\r\npong\r\n$0\r\n\r\n").find("-ERR Can't execute 'auth'"), std::string::npos);
    // One that unsubscribes in the same write is none by then, and who was wrong about that learns it from the reply.
    client_bytes(words({"UNSUBSCRIBE"}) + words({"HELLO", "3"}));
    server("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n%1\r\n$5\r\nproto\r\n:3\r\n");
    EXPECT_EQ(talk.state().protocol, 3);
    EXPECT_EQ(client_bytes(capa), kPing) << "answered here";
}

TEST_F(ConversationTest, a_hello_that_was_taken_for_one_that_succeeds_is_forgotten_when_it_does_not) {
    client({"SUBSCRIBE", "a"});
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    client_bytes(words({"UNSUBSCRIBE", "b"}) + words({"HELLO", "3"}));
    server("*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n-ERR Can't execute 'hello'\r\n");
    const auto capa = words({"CLIENT", "CAPA", "redirect"});
    EXPECT_EQ(client_bytes(capa), capa);
}

TEST_F(ConversationTest, a_reset_of_an_opaque_client_outlives_the_reply_to_a_hello_before_it) {
    wire.has_login = false;
    client_bytes(words({"HELLO", "3"}) + words({"MONITOR"}) + words({"RESET"}));
    server("%1\r\n$5\r\nproto\r\n:3\r\n+OK\r\n+RESET\r\n");
    client({"SUBSCRIBE", "a"});
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    const auto capa = words({"CLIENT", "CAPA", "redirect"});
    EXPECT_EQ(client_bytes(capa), capa) << "it speaks RESP2";
}

TEST_F(ConversationTest, a_reset_on_its_way_frees_a_subscriber_of_resp2) {
    wire.has_login = false;
    client({"SUBSCRIBE", "a"});
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    client_bytes(words({"RESET"}) + words({"AUTH", "x"}));
    EXPECT_EQ(server("+RESET\r\n+PONG\r\n"), "+RESET\r\n+OK\r\n");
    client_bytes(words({"RESET"}) + words({"SUBSCRIBE", "a"}) + words({"AUTH", "x"}));
    EXPECT_NE(server("+RESET\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n")
                  .find("-ERR Can't execute 'auth'"),
              std::string::npos);
}

TEST_F(ConversationTest, remembers_what_a_new_connection_must_be_brought_to) {
    client_bytes(words({"HELLO", "3"}) + words({"SELECT", "2"}) + words({"CLIENT", "SETNAME", "app"}) +
                 words({"CLIENT", "NO-TOUCH", "ON"}) + words({"SELECT", "99"}));
    EXPECT_EQ(talk.cannot_move_because(), "busy");
    server("%0\r\n+OK\r\n+OK\r\n+OK\r\n-ERR DB index is out of range\r\n");
    EXPECT_TRUE(talk.can_move());
    EXPECT_EQ(talk.state().db, "2");
    EXPECT_EQ(write_replay(talk.state()).commands, words({"HELLO", "3"}) + words({"SELECT", "2"}) +
                                                       words({"CLIENT", "SETNAME", "app"}) +
                                                       words({"CLIENT", "NO-TOUCH", "ON"}));
}

TEST(ConversationMove, says_why_it_cannot_be_moved) {
    const auto after = [](const std::vector<std::vector<std::string_view>>& commands) {
        FakeWire wire;
        Conversation talk(wire, ClientPolicy{});
        for (const auto& command : commands) {
            talk.on_client_bytes(words(command), kNow);
            talk.on_server_bytes("+OK\r\n", kNow);
        }
        return std::string(talk.cannot_move_because());
    };
    EXPECT_EQ(after({{"PING"}}), "");
    EXPECT_EQ(after({{"MULTI"}}), "multi");
    EXPECT_EQ(after({{"WATCH", "a"}}), "watch");
    EXPECT_EQ(after({{"WATCH", "a"}, {"MULTI"}, {"EXEC"}}), "");
    EXPECT_EQ(after({{"MULTI"}, {"SELECT", "1"}, {"EXEC"}}), "unknown_state");
    EXPECT_EQ(after({{"CLIENT", "ID"}}), "client_id");
    EXPECT_EQ(after({{"WAIT", "0", "0"}}), "wait") << "another connection did not write what it asks for";
    EXPECT_EQ(after({{"WAITAOF", "0", "0", "0"}}), "wait");
    EXPECT_EQ(after({{"EVAL", "return 1", "0"}}), "") << "the same server, by another connection, will do";
    EXPECT_EQ(after({{"QUIT"}}), "quit") << "the server's end is what it asked for";
    EXPECT_EQ(after({{"CLIENT", "KILL", "ID", "7"}}), "quit") << "7 may be itself";
    EXPECT_EQ(after({{"CLIENT", "KILL", "ID", "7"}, {"PING"}}), "");
    EXPECT_EQ(after({{"CLIENT", "TRACKING", "ON"}}), "");
    EXPECT_EQ(after({{"CLIENT", "TRACKING", "ON"}, {"GET", "a"}}), "tracking");
    EXPECT_EQ(after({{"CLIENT", "TRACKING", "ON"}, {"XREAD", "STREAMS", "a", "0"}}), "tracking");
    EXPECT_EQ(after({{"CLIENT", "TRACKING", "ON"}, {"EVAL_RO", "return redis.call('GET', 'a')", "0"}}), "tracking");
    EXPECT_EQ(after({{"MONITOR"}}), "opaque");
}

TEST(ConversationMove, who_taught_its_server_scripts_hears_of_its_end) {
    const auto can_resume_after = [](const std::vector<std::string_view>& command) {
        FakeWire wire;
        Conversation talk(wire, ClientPolicy{});
        talk.on_client_bytes(words(command), kNow);
        talk.on_server_bytes("+OK\r\n", kNow);
        EXPECT_NE(talk.can_resume(), talk.has_taught_scripts());
        return talk.can_resume();
    };
    EXPECT_FALSE(can_resume_after({"EVAL", "return 1", "0"}));
    EXPECT_FALSE(can_resume_after({"EVAL_RO", "return 1", "0"}));
    EXPECT_FALSE(can_resume_after({"SCRIPT", "LOAD", "return 1"}));
    EXPECT_TRUE(can_resume_after({"EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"})) << "others taught it";
    EXPECT_TRUE(can_resume_after({"FCALL", "f", "0"})) << "functions are replicated";
}

TEST_F(ConversationTest, a_wait_for_what_an_earlier_connection_wrote_ends_it) {
    client_bytes(words({"SELECT", "1"}) + words({"SET", "a", "1"}));
    server("+OK\r\n+OK\r\n");
    talk.start_over();
    EXPECT_EQ(client({"WAIT", "1", "0"}), "") << "the new connection's answer would be: all of nothing is there";
    EXPECT_NE(wire.lost, "");
}

TEST_F(ConversationTest, a_wait_on_the_first_connection_that_writes_passes) {
    talk.start_over();
    client({"SELECT", "1"});
    server("+OK\r\n");
    talk.start_over();
    const auto commands = words({"SET", "a", "1"}) + words({"WAIT", "1", "0"});
    EXPECT_EQ(client_bytes(commands), commands);
    EXPECT_EQ(wire.lost, "");
}

TEST_F(ConversationTest, a_skipped_reply_is_used_up_before_it_pauses) {
    client({"CLIENT", "REPLY", "SKIP"});
    EXPECT_EQ(talk.cannot_move_because(), "busy");
    talk.pause();
    EXPECT_EQ(client({"SET", "a", "1"}), words({"SET", "a", "1"}));
    EXPECT_EQ(talk.cannot_move_because(), "busy") << "nobody knows whether the server has it";
    EXPECT_FALSE(talk.can_resume());
    const auto get = words({"GET", "a"});
    EXPECT_EQ(talk.on_client_bytes(get + get, kNow), get.size());
    EXPECT_EQ(wire.take_server(), get);
    server("$1\r\n1\r\n");
    EXPECT_TRUE(talk.can_move());
}

TEST_F(ConversationTest, what_it_does_not_understand_passes_as_it_is) {
    client({"GET", "a"});
    EXPECT_EQ(client_bytes("*01\r\nwhat"), "*01\r\nwhat");
    EXPECT_TRUE(talk.is_opaque());
    EXPECT_EQ(client_bytes("ever"), "ever");
    EXPECT_EQ(server("$1\r\n1\r\n-ERR Protocol error: invalid multibulk length\r\n"),
              "$1\r\n1\r\n-ERR Protocol error: invalid multibulk length\r\n");
    EXPECT_FALSE(talk.can_log_in());
}

TEST_F(ConversationTest, a_command_that_is_too_long_to_be_known_passes_and_a_reset_makes_all_known_again) {
    const auto name = words({"CLIENT", "SETNAME", std::string(100'000, 'n')});
    EXPECT_EQ(client_bytes(name), name);
    EXPECT_TRUE(talk.is_opaque());
    EXPECT_EQ(client_bytes(words({"AUTH", "x"}) + words({"RESET"}) + words({"GET", "a"})),
              kPing + words({"RESET"}) + kLogin + words({"GET", "a"}));
    EXPECT_EQ(server("+OK\r\n+PONG\r\n+RESET\r\n+OK\r\n" + kNonceReply + "$-1\r\n"),
              "+OK\r\n+PONG\r\n+RESET\r\n$-1\r\n");
    EXPECT_FALSE(talk.is_opaque());
    EXPECT_TRUE(talk.can_log_in());
}

TEST_F(ConversationTest, credentials_that_are_too_long_to_be_looked_at_end_it_unsent) {
    for (const auto& command : {words({"AUTH", std::string(100'000, 'p')}),
                                words({"HELLO", "3", "AUTH", "joe", std::string(100'000, 'p')})}) {
        EXPECT_EQ(client_bytes(command), "");
        EXPECT_NE(std::exchange(wire.lost, ""), "");
    }
}

TEST_F(ConversationTest, answers_that_are_owed_still_come_before_it_is_opaque) {
    client_bytes(words({"AUTH", "x"}) + words({"MONITOR"}) + words({"GET", "a"}));
    EXPECT_EQ(server("+PONG\r\n+OK\r\n+1700000000.1 [0 127.0.0.1:1] \"GET\" \"a\"\r\nno RESP at all"),
              "+OK\r\n+OK\r\n+1700000000.1 [0 127.0.0.1:1] \"GET\" \"a\"\r\nno RESP at all");
}

TEST_F(ConversationTest, a_server_that_speaks_no_resp_is_copied) {
    client({"GET", "a"});
    EXPECT_EQ(server("hello\r\n"), "hello\r\n");
    EXPECT_EQ(server("world"), "world");
    EXPECT_TRUE(talk.is_opaque());
}

TEST_F(ConversationTest, tells_which_ends_the_server_must_hear_of) {
    EXPECT_FALSE(talk.must_hear_of_end());
    client({"GET", "a"});
    EXPECT_FALSE(talk.must_hear_of_end());
    client({"BLPOP", "a", "0"});
    EXPECT_TRUE(talk.must_hear_of_end());
    server("$-1\r\n*-1\r\n");
    EXPECT_FALSE(talk.must_hear_of_end());
    client({"XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", "s", "$"});
    EXPECT_TRUE(talk.must_hear_of_end());
    server("*-1\r\n");
    client({"XREAD", "STREAMS", "block", "0"});
    EXPECT_FALSE(talk.must_hear_of_end());
    server("*-1\r\n");
    client({"MULTI"});
    EXPECT_TRUE(talk.must_hear_of_end());
}

// --- pausing and changing over -------------------------------------------------------------------------------------

TEST_F(ConversationTest, pauses_at_the_end_of_the_command_that_it_is_in) {
    const auto first = words({"SET", "k", "value"}), second = words({"GET", "k"});
    EXPECT_EQ(client_bytes(first.substr(0, 30)), first.substr(0, 30));
    talk.pause();
    EXPECT_EQ(talk.on_client_bytes(first.substr(30) + second, kNow), first.size() - 30);
    EXPECT_EQ(wire.take_server(), first.substr(30));
    talk.resume();
    EXPECT_EQ(client_bytes(second), second);
}

TEST_F(ConversationTest, a_command_whose_head_was_cut_goes_to_the_next_server_as_a_whole) {
    EXPECT_EQ(client_bytes("*1\r\n$4\r\nPI"), "");
    EXPECT_TRUE(talk.can_move());
    talk.start_over();
    EXPECT_EQ(client_bytes("NG\r\n"), kPing);
}

TEST_F(ConversationTest, nothing_of_the_old_server_passes_after_the_marker) {
    client({"SUBSCRIBE", "a"});
    server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    talk.inject_marker("mark", kNow);
    EXPECT_EQ(wire.take_server(), words({"SSUBSCRIBE", "mark"}));
    const std::string message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n";
    EXPECT_EQ(server(message + "*3\r\n$10\r\nssubscribe\r\n$4\r\nmark\r\n:1\r\n" + message), message + message);
    EXPECT_EQ(wire.marker_subscribed, true);
    EXPECT_EQ(server("*3\r\n$8\r\nsmessage\r\n$4\r\nmark\r\n$1\r\n1\r\n" + message), "");
    EXPECT_EQ(wire.markers, 1);
    talk.start_over();
    EXPECT_EQ(server(message), message);
    EXPECT_TRUE(talk.is_subscribed());
}

// --- clients that must log in --------------------------------------------------------------------------------------

TEST(ConversationPolicy, after_a_reset_the_client_must_log_in_again) {
    FakeWire wire;
    Conversation talk(wire, ClientPolicy{ClientAuth::require, Secret("sesame"), false});
    talk.on_client_bytes(words({"RESET"}) + words({"SET", "k", "v"}) + words({"AUTH", "wrong"}) +
                             words({"AUTH", "sesame"}) + words({"GET", "k"}),
                         kNow);
    EXPECT_EQ(wire.server, words({"RESET"}) + kLogin + kPing + kPing + kPing + words({"GET", "k"}));
    talk.on_server_bytes("+RESET\r\n+OK\r\n" + kNonceReply + "+PONG\r\n+PONG\r\n+PONG\r\n$-1\r\n", kNow);
    EXPECT_EQ(wire.client,
              "+RESET\r\n-NOAUTH Authentication required.\r\n-WRONGPASS invalid username-password pair or user is "
              "disabled.\r\n+OK\r\n$-1\r\n");
}

TEST(ConversationPolicy, nothing_passes_by_being_no_command_before_the_client_logs_in_again) {
    for (const auto& trick :
         {std::string("*01\r\n") + words({"GET", "k"}), words({"CLIENT", "SETNAME", std::string(100'000, 'n')})}) {
        FakeWire wire;
        Conversation talk(wire, ClientPolicy{ClientAuth::require, Secret("sesame"), false});
        talk.on_client_bytes(words({"RESET"}) + trick, kNow);
        EXPECT_EQ(wire.server, words({"RESET"}) + kLogin);
        EXPECT_NE(wire.lost, "");
    }
}

TEST(ConversationPolicy, reject_answers_as_a_server_that_knows_nobody) {
    FakeWire wire;
    Conversation talk(wire, ClientPolicy{ClientAuth::reject, std::nullopt, false});
    talk.on_client_bytes(words({"AUTH", "a", "b"}) + words({"HELLO", "3", "AUTH", "a", "b"}), kNow);
    talk.on_server_bytes("+PONG\r\n+PONG\r\n", kNow);
    const std::string refusal = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    EXPECT_EQ(wire.client, refusal + refusal);
}

}  // namespace
}  // namespace cvp::proxy
