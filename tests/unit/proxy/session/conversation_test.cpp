#include "proxy/session/conversation.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/session/conversation_fixture.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

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
