#include "proxy/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using ::testing::HasSubstr;

TEST(Probe, holds_when_the_admin_server_says_200) {
    EXPECT_EQ(read_probe_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"), (Verdict{true, "ok"}));
}

TEST(Probe, says_what_the_admin_server_says) {
    EXPECT_EQ(read_probe_answer("HTTP/1.1 503 Service Unavailable\r\n\r\nsessions: NoToken: x\nmore\n"),
              (Verdict{false, "HTTP 503: sessions: NoToken: x"}));
}

TEST(Probe, is_not_taken_in_by_something_else) {
    for (const auto* answer : {"", "-ERR unknown command", "HTTP/1.1 200 OK", "SSH-2.0-x\r\n\r\n"}) {
        EXPECT_FALSE(read_probe_answer(answer).ok) << answer;
    }
}

TEST(Probe, of_nobody_fails_and_names_the_address) {
    const auto verdict = ask_admin({"", 1}, "/startup");
    EXPECT_FALSE(verdict.ok);
    EXPECT_THAT(verdict.text, HasSubstr("127.0.0.1:1: "));
}

}  // namespace
}  // namespace cvp::proxy
