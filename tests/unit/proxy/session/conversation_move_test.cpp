// When a client may go to another connection, and what it needs there.
#include <gmock/gmock.h>

#include "proxy/session/conversation.hpp"
#include "tests/unit/proxy/session/conversation_fixture.hpp"

namespace cvp::proxy {
namespace {

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

TEST(ConversationMove, remembers_the_scripts_that_the_client_counts_on) {
    const auto scripts_after = [](const std::vector<std::vector<std::string_view>>& commands) {
        FakeWire wire;
        Conversation talk(wire, ClientPolicy{});
        for (const auto& command : commands)
            talk.on_client_bytes(words(command), kNow);
        return talk.state().scripts;
    };
    const std::set<std::string, std::less<>> one = {"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"};
    EXPECT_EQ(scripts_after({{"EVAL", "return 1", "0"}}), one);
    EXPECT_EQ(scripts_after({{"eval_ro", "return 1", "1", "k"}, {"EVAL", "return 1", "0"}}), one);
    EXPECT_EQ(scripts_after({{"SCRIPT", "LOAD", "return 1"}, {"SCRIPT", "EXISTS", "x"}}), one);
    EXPECT_THAT(scripts_after({{"EVAL", "return 1", "0"}, {"SCRIPT", "FLUSH"}}), testing::IsEmpty());
    EXPECT_THAT(scripts_after({{"EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"}}), testing::IsEmpty())
        << "others taught it";
    EXPECT_THAT(scripts_after({{"FCALL", "f", "0"}, {"EVAL"}, {"SCRIPT"}}), testing::IsEmpty());
}

TEST_F(ConversationTest, scripts_outlive_a_reset_also_of_an_opaque_client) {
    const std::string reset = "+RESET\r\n+OK\r\n" + kNonceReply;
    client_bytes(words({"EVAL", "return 1", "0"}) + words({"SELECT", "1"}) + words({"RESET"}));
    server(":1\r\n+OK\r\n" + reset);
    EXPECT_EQ(talk.state().db, "0");
    EXPECT_EQ(talk.state().scripts.size(), 1u);
    client_bytes(words({"MONITOR"}) + words({"EVAL", "return 2", "0"}) + words({"RESET"}));
    server("+OK\r\n:2\r\n" + reset);
    EXPECT_TRUE(talk.can_move());
    EXPECT_EQ(talk.state().scripts.size(), 2u);
}

TEST_F(ConversationTest, a_script_that_is_too_long_to_be_looked_at_passes_and_ties_its_client) {
    const auto eval = words({"EVAL", std::string(100'000, ' '), "0"});
    EXPECT_EQ(client_bytes(eval + words({"PING"})), eval + kPing);
    EXPECT_FALSE(talk.is_opaque());
    EXPECT_EQ(server("$-1\r\n+PONG\r\n"), "$-1\r\n+PONG\r\n");
    EXPECT_EQ(talk.cannot_move_because(), "unknown_state");
}

TEST_F(ConversationTest, too_many_scripts_tie_their_client) {
    for (int i = 0; i < 65; ++i) {
        EXPECT_TRUE(talk.can_move()) << i;
        client({"EVAL", "return " + std::to_string(i), "0"});
        server(":1\r\n");
    }
    EXPECT_EQ(talk.cannot_move_because(), "unknown_state");
}

TEST_F(ConversationTest, a_wait_for_what_an_earlier_connection_wrote_waits_for_what_is_newer) {
    client_bytes(words({"SELECT", "1"}) + words({"SET", "a", "1"}));
    server("+OK\r\n+OK\r\n");
    talk.start_over();
    const auto wait = words({"WAIT", "1", "0"}), write = words({"SPUBLISH", "cvp:wait", ""});
    EXPECT_EQ(client_bytes(wait), write + wait);
    EXPECT_EQ(server(":0\r\n:1\r\n"), ":1\r\n");
    EXPECT_EQ(client_bytes(wait), wait) << "it has written here";
    EXPECT_EQ(server(":1\r\n"), ":1\r\n");
    talk.start_over();
    client_bytes(wait);
    EXPECT_EQ(server("-NOPERM no\r\n:1\r\n"), "") << "the answer would be: all of nothing is there";
    EXPECT_NE(wire.lost, "");
}

TEST_F(ConversationTest, nothing_is_written_before_a_wait_where_it_would_be_seen) {
    client({"SET", "a", "1"});
    server("+OK\r\n");
    talk.start_over();
    const auto wait = words({"WAIT", "1", "0"});
    for (const auto& state : {words({"CLIENT", "REPLY", "SKIP"}), words({"CLIENT", "REPLY", "OFF"}), words({"MULTI"})})
        EXPECT_EQ(client_bytes(state + wait), state + wait);
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

}  // namespace
}  // namespace cvp::proxy
