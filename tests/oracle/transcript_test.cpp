#include "tests/oracle/transcript.hpp"

#include <gtest/gtest.h>

namespace cvp::oracle {
namespace {

Program program_of(std::vector<Command> commands) {
    Program program;
    program.connections = 1;
    Part part;
    part.nonce = "~1~";
    part.commands = std::move(commands);
    part.commands.push_back({{"PING", "~1~"}, Form::multibulk});
    part.commands.push_back({{"GET", "last"}, Form::multibulk});
    program.steps.push_back({part});
    return program;
}

TEST(OracleTranscript, each_reply_belongs_to_its_command_and_pushes_to_none) {
    const auto program = program_of({{{"GET", "a"}, Form::multibulk}, {{"SUBSCRIBE", "c", "d"}, Form::multibulk}});
    const auto sent = sent_by(program, 0);
    const auto transcript = assign(sent,
                                   "$-1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n"
                                   "$1\r\nx\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:2\r\n*2\r\n$4\r\npong\r\n$3\r\n~1~"
                                   "\r\n-ERR\r\n");
    EXPECT_EQ(transcript.owners, (std::vector<std::size_t>{0, 1, Transcript::kNobody, 1, 2, 3}));
    EXPECT_EQ(transcript.lost, 0U);
}

TEST(OracleTranscript, it_is_taken_up_again_at_the_nonce) {
    const auto program = program_of({{{"GET", "a"}, Form::multibulk}, {{"GET", "b"}, Form::multibulk}});
    const auto sent = sent_by(program, 0);
    const auto one_short = assign(sent, ":1\r\n$3\r\n~1~\r\n:2\r\n");
    EXPECT_EQ(one_short.owners, (std::vector<std::size_t>{0, 2, 3}));
    EXPECT_EQ(one_short.lost, 1U);
    const auto one_more = assign(sent, ":1\r\n:2\r\n:3\r\n$3\r\n~1~\r\n:2\r\n");
    EXPECT_EQ(one_more.owners, (std::vector<std::size_t>{0, 1, Transcript::kNobody, 2, 3}));
}

}  // namespace
}  // namespace cvp::oracle
