#include "proxy/session/client_gate.hpp"

#include <gtest/gtest.h>

#include "proxy/session/client_login.hpp"
#include "proxy/session/client_state.hpp"

namespace cvp::proxy {
namespace {

std::string words(const std::vector<std::string_view>& list) {
    std::string command;
    append_command(command, list);
    return command;
}

const ClientPolicy kPolicy{ClientAuth::require, Secret("sesame"), false};

TEST(ClientGate, answers_as_a_server_with_a_password_and_keeps_nothing) {
    ClientGate gate(kPolicy);
    const auto answer = gate.on_bytes(words({"SET", "k", std::string(100'000, 'x')}) + words({"AUTH", "wrong"}) +
                                      words({"HELLO", "3"}) + words({"RESET"}));
    EXPECT_FALSE(answer.is_open);
    EXPECT_EQ(answer.onward, "");
    EXPECT_TRUE(answer.text.starts_with("-NOAUTH Authentication required.\r\n-WRONGPASS ")) << answer.text;
    EXPECT_NE(answer.text.find("-NOAUTH HELLO must be called"), std::string::npos);
    EXPECT_TRUE(answer.text.ends_with("+RESET\r\n"));
}

TEST(ClientGate, lets_in_by_auth_and_hands_the_rest_on) {
    ClientGate gate(kPolicy);
    const auto answer = gate.on_bytes(words({"AUTH", "default", "sesame"}) + words({"GET", "k"}));
    EXPECT_TRUE(answer.is_open);
    EXPECT_EQ(answer.text, "+OK\r\n");
    EXPECT_EQ(answer.onward, words({"GET", "k"}));
}

TEST(ClientGate, lets_in_by_hello_and_leaves_its_answer_to_the_server) {
    ClientGate gate(kPolicy);
    const auto hello = words({"HELLO", "3", "AUTH", "default", "sesame", "SETNAME", "app"});
    EXPECT_FALSE(gate.on_bytes(hello.substr(0, 40)).is_open);
    const auto answer = gate.on_bytes(hello.substr(40) + "PING\r\n");
    EXPECT_TRUE(answer.is_open);
    EXPECT_EQ(answer.text, "");
    EXPECT_EQ(answer.onward, words({"HELLO", "3", "SETNAME", "app"}) + "PING\r\n");
}

TEST(ClientGate, ends_with_quit_and_with_what_is_no_resp) {
    ClientGate quit(kPolicy);
    EXPECT_TRUE(quit.on_bytes("QUIT\r\n").is_over);
    ClientGate other(kPolicy);
    const auto answer = other.on_bytes("*01\r\n");
    EXPECT_TRUE(answer.is_over);
    EXPECT_EQ(answer.text, "-ERR Protocol error\r\n");
}

TEST(ClientGate, ends_with_credentials_that_are_too_long) {
    ClientGate gate(kPolicy);
    const auto answer = gate.on_bytes(words({"AUTH", std::string(100'000, 'p')}));
    EXPECT_TRUE(answer.is_over);
    EXPECT_FALSE(answer.is_open);
    EXPECT_EQ(answer.text, "-ERR Protocol error: unauthenticated bulk length\r\n");
}

TEST(ClientLogin, other_users_and_missing_passwords_are_refused) {
    EXPECT_FALSE(judge_auth(kPolicy, {"joe", "sesame"}, false).is_logged_in);
    ClientPolicy nothing_yet{ClientAuth::require, std::nullopt, false};
    EXPECT_FALSE(judge_auth(nothing_yet, {"sesame"}, false).is_logged_in);
    EXPECT_TRUE(judge_auth(kPolicy, {"wrong"}, true).is_logged_in) << "a failed AUTH keeps the old identity";
}

TEST(ClientLogin, the_version_of_hello_is_looked_at_first) {
    const auto verdict = judge_hello(kPolicy, {"4", "AUTH", "default", "sesame"}, false);
    EXPECT_FALSE(verdict.is_logged_in);
    EXPECT_EQ(verdict.answer, "-NOPROTO unsupported protocol version\r\n");
    EXPECT_EQ(judge_hello(ClientPolicy{}, {"4", "AUTH", "a", "b"}, true).forward, words({"HELLO", "4"}));
}

}  // namespace
}  // namespace cvp::proxy
