#include "proxy/session/replay.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using Outcome = Replay::Outcome;

TEST(Replay, is_not_needed_for_a_client_that_changed_nothing) {
    EXPECT_FALSE(Replay(ClientState{}).is_needed());
}

TEST(Replay, is_done_with_the_last_reply_pushes_apart) {
    ClientState state;
    state.protocol = 3;
    state.db = "1";
    Replay replay(state);
    EXPECT_EQ(replay.feed("%1\r\n$5\r\nproto\r\n:3\r\n"), Outcome::pending);
    EXPECT_EQ(replay.feed(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n+O"), Outcome::pending);
    EXPECT_EQ(replay.feed("K\r\n"), Outcome::done);
}

TEST(Replay, is_refused_by_an_error_and_by_more_than_was_asked_for) {
    ClientState state;
    state.db = "99";
    EXPECT_EQ(Replay(state).feed("-ERR DB index is out of range\r\n"), Outcome::refused);
    EXPECT_EQ(Replay(state).feed("+OK\r\n+OK\r\n"), Outcome::refused);
}

TEST(Replay, asks_for_each_script_behind_all_else) {
    ClientState state;
    state.db = "1";
    state.scripts = {"aaaa", "bbbb"};
    const Replay replay(state);
    EXPECT_EQ(replay.commands(),
              "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*3\r\n$6\r\nSCRIPT\r\n$6\r\nEXISTS\r\n$4\r\naaaa\r\n"
              "*3\r\n$6\r\nSCRIPT\r\n$6\r\nEXISTS\r\n$4\r\nbbbb\r\n");
    EXPECT_EQ(Replay(state).feed("+OK\r\n*1\r\n:1\r\n*1\r\n:1\r\n"), Outcome::done);
    EXPECT_EQ(Replay(state).feed("+OK\r\n*1\r\n:1\r\n*1\r\n:0\r\n"), Outcome::unknown_script);
    EXPECT_EQ(Replay(state).feed("+OK\r\n-NOPERM no\r\n"), Outcome::unknown_script) << "it does not say";
    EXPECT_EQ(Replay(state).feed("-ERR no\r\n"), Outcome::refused) << "that was SELECT";
}

TEST(Replay, sees_an_unknown_script_however_its_reply_is_cut) {
    ClientState state;
    state.scripts = {"aaaa"};
    Replay replay(state);
    Outcome outcome = Outcome::pending;
    for (const char byte : std::string("*1\r\n:0\r\n")) {
        ASSERT_EQ(outcome, Outcome::pending);
        outcome = replay.feed({&byte, 1});
    }
    EXPECT_EQ(outcome, Outcome::unknown_script);
}

}  // namespace
}  // namespace cvp::proxy
