#include "tests/emulator/login_gate.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/resp_client.hpp"

namespace cvp::emulator {
namespace {

using namespace std::chrono_literals;
using test::encode_command;

constexpr SteadyClock::time_point kNow{1h};
const std::string kPing = "*1\r\n$4\r\nPING\r\n";
const std::string kAuth = "*2\r\n$4\r\nAUTH\r\n$5\r\ntoken\r\n";
const std::string kStandIn = "*1\r\n$5\r\ntag-0\r\n";
const std::string kRefusal = "-ERR unknown command 'tag-0', with args beginning with: \r\n";

/// Says what the test tells it to, and writes down what it was asked.
class ScriptedJudge final : public LoginJudge {
public:
    LoginVerdict judge(const LoginAttempt& attempt, SteadyClock::time_point) override {
        asked.push_back(std::string(attempt.username) + ":" + std::string(attempt.password) +
                        (attempt.is_later ? " again" : ""));
        return verdict;
    }

    LoginVerdict verdict{LoginAnswer::pass, 0ms, true};
    std::vector<std::string> asked;
};

class LoginGateTest : public ::testing::Test {
protected:
    /// What goes to the server for these bytes of the client.
    std::string pass(std::string_view bytes, SteadyClock::time_point now = kNow) {
        gate_.take_from_client(bytes, now);
        return std::exchange(gate_.to_server(), {});
    }
    /// What the client gets for these bytes of the server.
    std::string answer(std::string_view bytes) {
        gate_.take_from_server(bytes);
        return std::exchange(gate_.to_client(), {});
    }
    std::string on_time(SteadyClock::time_point now) {
        gate_.on_time(now);
        return std::exchange(gate_.to_server(), {});
    }

    ScriptedJudge judge_;
    LoginGate gate_{judge_, "tag"};
};

TEST_F(LoginGateTest, finds_every_form_of_a_login_and_passes_it_unchanged) {
    for (const auto& command :
         {kAuth, std::string("auth token\r\n"), encode_command({"AUTH", "default", "token"}),
          encode_command({"HELLO", "3", "AUTH", "default", "token"}),
          encode_command({"hello", "2", "SetName", "auth", "Auth", "default", "token", "SETNAME", "n"})})
        EXPECT_EQ(pass(command), command);
    EXPECT_EQ(judge_.asked, (std::vector<std::string>{":token", ":token again", "default:token again",
                                                      "default:token again", "default:token again"}));
}

TEST_F(LoginGateTest, takes_nothing_else_for_a_login) {
    for (const auto& words : std::vector<std::vector<std::string>>{{"AUTH"},
                                                                   {"AUTH", "a", "b", "c"},
                                                                   {"HELLO"},
                                                                   {"HELLO", "3"},
                                                                   {"HELLO", "3", "SETNAME", "AUTH"},
                                                                   {"HELLO", "3", "AUTH", "default"},
                                                                   {"SET", "AUTH", "token"},
                                                                   {"ECHO", kAuth}})
        EXPECT_EQ(pass(encode_command(words)), encode_command(words)) << words.front();
    EXPECT_TRUE(judge_.asked.empty());
    EXPECT_FALSE(gate_.last_login());
}

TEST_F(LoginGateTest, passes_all_bytes_in_order_however_they_are_cut) {
    const auto stream =
        kPing + kAuth + "*0\r\nPING\r\n" + encode_command({"SET", "k", std::string(3000, 'v')}) + kAuth + kPing;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{100}, stream.size()}) {
        ScriptedJudge judge;
        LoginGate gate(judge, "tag");
        for (std::size_t at = 0; at < stream.size(); at += piece)
            gate.take_from_client(std::string_view(stream).substr(at, piece), kNow);
        EXPECT_EQ(gate.to_server(), stream) << "in pieces of " << piece;
        EXPECT_EQ(judge.asked.size(), 2u) << "in pieces of " << piece;
    }
}

TEST_F(LoginGateTest, refuses_a_login_in_its_place_between_the_others_replies) {
    judge_.verdict.answer = LoginAnswer::wrongpass;
    EXPECT_EQ(pass(kPing + kAuth + kPing), kPing + kStandIn + kPing);
    EXPECT_EQ(answer("+PONG\r\n" + kRefusal + "+PONG\r\n"),
              "+PONG\r\n-WRONGPASS invalid username-password pair or user is disabled\r\n+PONG\r\n");
    EXPECT_FALSE(gate_.last_login());
}

TEST_F(LoginGateTest, drops_the_answer_to_a_login_and_nothing_else) {
    judge_.verdict.answer = LoginAnswer::silence;
    EXPECT_EQ(pass(kAuth + kPing), kStandIn + kPing);
    EXPECT_EQ(answer(kRefusal + "+PONG\r\n"), "+PONG\r\n");
    EXPECT_FALSE(gate_.is_cut());
}

TEST_F(LoginGateTest, cuts_in_the_middle_of_an_answer) {
    judge_.verdict.answer = LoginAnswer::cut;
    EXPECT_EQ(pass(kPing + kAuth + kPing), kPing + kStandIn + kPing);
    EXPECT_EQ(answer("+PONG\r\n" + kRefusal + "+PONG\r\n"), "+PONG\r\n+O");
    EXPECT_TRUE(gate_.is_cut());
    EXPECT_EQ(answer("+PONG\r\n"), "");
    EXPECT_EQ(pass(kPing), "");
}

TEST_F(LoginGateTest, delays_a_login_and_what_comes_behind_it_but_no_reply) {
    judge_.verdict.delay = 300ms;
    EXPECT_EQ(pass(kPing + kAuth + kPing + kAuth + kPing), kPing);
    EXPECT_FALSE(gate_.takes_from_client());
    EXPECT_EQ(answer("+PONG\r\n"), "+PONG\r\n");
    EXPECT_EQ(gate_.wakes_at(), kNow + 300ms);
    EXPECT_EQ(on_time(kNow + 299ms), "");
    EXPECT_EQ(on_time(kNow + 300ms), kAuth + kPing);
    EXPECT_EQ(gate_.first_login(), kNow + 300ms);
    EXPECT_EQ(gate_.wakes_at(), kNow + 600ms) << "the next one waits, too";
    EXPECT_EQ(on_time(kNow + 601ms), kAuth + kPing);
    EXPECT_TRUE(gate_.takes_from_client());
    EXPECT_FALSE(gate_.wakes_at());
}

TEST_F(LoginGateTest, knows_the_first_and_the_newest_login_that_the_server_takes) {
    pass(kAuth);
    pass(kAuth, kNow + 1s);
    judge_.verdict = {LoginAnswer::wrongpass, 0ms, true};
    pass(kAuth, kNow + 2s);
    judge_.verdict = {LoginAnswer::pass, 0ms, false};
    pass(kAuth, kNow + 3s);
    EXPECT_EQ(gate_.first_login(), kNow);
    EXPECT_EQ(gate_.last_login(), kNow + 1s);
}

TEST_F(LoginGateTest, leaves_logins_inside_a_transaction_alone) {
    judge_.verdict.answer = LoginAnswer::wrongpass;
    for (const auto* end : {"EXEC", "DISCARD", "RESET"}) {
        const auto program = encode_command({"MULTI"}) + kAuth + encode_command({end});
        EXPECT_EQ(pass(program), program) << end;
    }
    EXPECT_TRUE(judge_.asked.empty());
    EXPECT_EQ(pass(kAuth), kStandIn);
}

TEST_F(LoginGateTest, passes_everything_once_it_does_not_understand) {
    judge_.verdict.answer = LoginAnswer::wrongpass;
    EXPECT_EQ(pass("*+1\r\n$4\r\n"), "*+1\r\n$4\r\n");
    EXPECT_EQ(pass(kAuth), kAuth);
    EXPECT_TRUE(judge_.asked.empty());
}

}  // namespace
}  // namespace cvp::emulator
