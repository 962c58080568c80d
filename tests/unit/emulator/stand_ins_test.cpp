#include "tests/emulator/stand_ins.hpp"

#include <gtest/gtest.h>

namespace cvp::emulator {
namespace {

/// What Valkey says to an unknown command without arguments.
std::string refusal_of(const std::string& command) {
    const auto name = command.substr(command.find("\r\n", 4) + 2);
    return "-ERR unknown command '" + name.substr(0, name.size() - 2) + "', with args beginning with: \r\n";
}

TEST(StandIns, are_whole_commands_of_one_word) {
    StandIns stand_ins("tag");
    EXPECT_EQ(stand_ins.add("+OK\r\n"), "*1\r\n$5\r\ntag-0\r\n");
    EXPECT_EQ(stand_ins.add("+OK\r\n"), "*1\r\n$5\r\ntag-1\r\n");
}

TEST(StandIns, have_their_answers_replaced_wherever_they_are_and_however_the_bytes_are_cut) {
    StandIns sample("tag");
    const auto refusal = refusal_of(sample.add(""));
    const auto stream = "+PONG\r\n" + refusal + "$5\r\n-ERR \r\n" + refusal_of(sample.add("")) + "+OK\r\n";
    const std::string expected = "+PONG\r\n-NO\r\n$5\r\n-ERR \r\n-NO AGAIN\r\n+OK\r\n";
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        StandIns stand_ins("tag");
        stand_ins.add("-NO\r\n");
        stand_ins.add("-NO AGAIN\r\n");
        std::string out;
        for (std::size_t at = 0; at < stream.size(); at += piece)
            ASSERT_TRUE(stand_ins.pass(std::string_view(stream).substr(at, piece), out));
        EXPECT_EQ(out, expected) << "in pieces of " << piece;
    }
}

TEST(StandIns, without_one_under_way_nothing_is_kept_back) {
    StandIns stand_ins("tag");
    std::string out;
    EXPECT_TRUE(stand_ins.pass("-ERR unknown command 'ta", out));
    EXPECT_EQ(out, "-ERR unknown command 'ta");
    const auto refusal = refusal_of(stand_ins.add("-NO\r\n"));
    out.clear();
    EXPECT_TRUE(stand_ins.pass(refusal + "-ERR unknown command 'ta", out));
    EXPECT_EQ(out, "-NO\r\n-ERR unknown command 'ta");
}

TEST(StandIns, whose_answer_never_came_are_passed_over) {
    StandIns stand_ins("tag");
    stand_ins.add("-HIDDEN BY REPLY SKIP\r\n");
    const auto refusal = refusal_of(stand_ins.add("-SEEN\r\n"));
    std::string out;
    EXPECT_TRUE(stand_ins.pass(refusal, out));
    EXPECT_EQ(out, "-SEEN\r\n");
}

TEST(StandIns, may_have_no_answer_at_all) {
    StandIns stand_ins("tag");
    const auto refusal = refusal_of(stand_ins.add(""));
    std::string out;
    EXPECT_TRUE(stand_ins.pass("+PONG\r\n" + refusal + "$1\r\nn\r\n", out));
    EXPECT_EQ(out, "+PONG\r\n$1\r\nn\r\n");
}

TEST(StandIns, end_the_stream_with_a_last_answer) {
    StandIns stand_ins("tag");
    const auto refusal = refusal_of(stand_ins.add("+O", true));
    std::string out;
    EXPECT_FALSE(stand_ins.pass("+PONG\r\n" + refusal + "+PONG\r\n", out));
    EXPECT_EQ(out, "+PONG\r\n+O");
}

TEST(StandIns, of_somebody_else_pass) {
    StandIns stand_ins("tag");
    stand_ins.add("-NO\r\n");
    const std::string stream = "-ERR unknown command 'other-0', with args beginning with: \r\n";
    std::string out;
    EXPECT_TRUE(stand_ins.pass(stream, out));
    EXPECT_EQ(out, stream);
}

}  // namespace
}  // namespace cvp::emulator
