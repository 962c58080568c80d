#include "proxy/upstream/login.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using Outcome = Login::Outcome;

Outcome answer(std::string_view bytes) {
    Login login;
    return login.feed(bytes);
}

TEST(Login, sends_one_argument_or_two) {
    const Secret token("s3cret");
    EXPECT_EQ(Login::command("", token).reveal(), "*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n");
    EXPECT_EQ(Login::command("default", token).reveal(), "*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$6\r\ns3cret\r\n");
}

TEST(Login, understands_what_servers_answer) {
    const std::vector<std::pair<const char*, Outcome>> answers{
        {"+OK\r\n", Outcome::accepted},
        {"-WRONGPASS invalid username-password pair or user is disabled.\r\n", Outcome::refused},
        {"-WRONGPASS invalid username-password pair or user is disabled\r\n", Outcome::refused},
        {"-NOAUTH Authentication required\r\n", Outcome::refused},
        {"-ERR invalid password\r\n", Outcome::refused},
        {"-ERR (ERR_IAM_EXHAUSTED) Memorystore IAM authentication backend quota exceeded. See https://x.\r\n",
         Outcome::throttled},
        {"-ERR (ERR_IAM_OTHER) Memorystore IAM authentication backend error.\r\n", Outcome::throttled},
        {"-ERR AUTH <password> called without any password configured for the default user. Are you sure?\r\n",
         Outcome::misfit},
        {"-ERR Client sent AUTH, but no password is set\r\n", Outcome::misfit},
        {"-NOPERM User default has no permissions to run the 'auth' command\r\n", Outcome::misfit},
        {"-DENIED Running in protected mode\r\n", Outcome::misfit},
        {"-ERR wrong number of arguments for 'auth' command\r\n", Outcome::misfit},
        {"-ERR unknown command 'AUTH', with args beginning with: 's3cret' \r\n", Outcome::misfit},
        {"-ERR max number of clients reached\r\n", Outcome::unavailable},
        {"-LOADING Valkey is loading the dataset in memory\r\n", Outcome::unavailable},
        {"HTTP/1.1 400 Bad Request\r\n", Outcome::nonsense},
        {"+QUEUED\r\n", Outcome::nonsense},
        {"-ERR syntax error\r\n", Outcome::nonsense},
    };
    for (const auto& [bytes, outcome] : answers)
        EXPECT_EQ(answer(bytes), outcome) << bytes;
}

TEST(Login, takes_an_answer_in_pieces) {
    Login login;
    for (const auto* piece : {"+", "O", "K", "\r"})
        EXPECT_EQ(login.feed(piece), Outcome::pending);
    EXPECT_EQ(login.feed("\n"), Outcome::accepted);
}

TEST(Login, bytes_that_nobody_asked_for_are_nonsense) {
    EXPECT_EQ(answer("+OK\r\n+PONG\r\n"), Outcome::nonsense);
    EXPECT_EQ(answer(std::string(5000, 'x')), Outcome::nonsense);
}

TEST(Login, never_repeats_what_a_server_said) {
    for (const auto outcome :
         {Outcome::refused, Outcome::misfit, Outcome::throttled, Outcome::unavailable, Outcome::nonsense}) {
        for (const bool in_grace : {true, false}) {
            EXPECT_EQ(Login::explain(outcome, in_grace).sentence.find("s3cret"), std::string::npos);
        }
    }
    Login login;
    login.feed("-ERR unknown command 'AUTH', with args beginning with: 's3cret' \r\n");
    EXPECT_EQ(render(Login::explain(Outcome::misfit, true), "c").find("s3cret"), std::string::npos);
}

TEST(Login, a_refusal_is_transient_in_its_grace_alone) {
    EXPECT_TRUE(Login::explain(Outcome::refused, true).transient);
    EXPECT_FALSE(Login::explain(Outcome::refused, false).transient);
    EXPECT_EQ(Login::explain(Outcome::refused, true).cause, Cause::login_refused);
    EXPECT_FALSE(Login::explain(Outcome::misfit, true).transient);
    EXPECT_EQ(Login::explain(Outcome::throttled, false),
              make_local_error(Cause::login_throttled, "the provider's login service is over its quota or failing"));
}

}  // namespace
}  // namespace cvp::proxy
