// Our own login among the commands of a client.
#include <gtest/gtest.h>

#include "proxy/session/conversation.hpp"
#include "tests/unit/proxy/session/conversation_fixture.hpp"

namespace cvp::proxy {
namespace {

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

}  // namespace
}  // namespace cvp::proxy
