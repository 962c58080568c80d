#include "tests/oracle/frames.hpp"

#include <gtest/gtest.h>

namespace cvp::oracle {
namespace {

TEST(OracleFrames, a_stream_is_taken_apart_into_whole_frames_and_a_rest) {
    const std::string stream = "+OK\r\n$3\r\nabc\r\n*2\r\n:1\r\n*1\r\n$-1\r\n%1\r\n+k\r\n~1\r\n#t\r\n$5\r\nab";
    const auto frames = split_frames(stream);
    ASSERT_EQ(frames.whole.size(), 4U);
    EXPECT_EQ(stream.substr(frames.whole[2].begin, frames.whole[2].size), "*2\r\n:1\r\n*1\r\n$-1\r\n");
    EXPECT_EQ(stream.substr(frames.rest), "$5\r\nab");
    EXPECT_FALSE(frames.is_broken);
}

TEST(OracleFrames, an_attribute_belongs_to_the_frame_that_follows) {
    const std::string attributed = "|1\r\n+k\r\n*1\r\n+v\r\n$2\r\nab\r\n";
    const auto frames = split_frames(attributed + "+OK\r\n");
    ASSERT_EQ(frames.whole.size(), 2U);
    EXPECT_EQ(frames.whole[0].size, attributed.size());
}

TEST(OracleFrames, what_is_no_resp_is_called_broken) {
    const auto frames = split_frames("+OK\r\nhello\r\n");
    EXPECT_TRUE(frames.is_broken);
    EXPECT_EQ(frames.rest, 5U);
}

TEST(OracleFrames, messages_and_invalidations_answer_nothing) {
    EXPECT_TRUE(is_out_of_band("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"));
    EXPECT_TRUE(is_out_of_band(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"));
    EXPECT_TRUE(is_out_of_band("+1700000000.123456 [0 127.0.0.1:1234] \"PING\"\r\n"));
    EXPECT_FALSE(is_out_of_band(">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"));
    EXPECT_FALSE(is_out_of_band("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"));
    EXPECT_FALSE(is_out_of_band("+OK\r\n"));
}

TEST(OracleFrames, bytes_are_shown_as_text) {
    EXPECT_EQ(escape(std::string_view("a\r\n\0\\", 5)), "a\\r\\n\\x00\\\\");
    EXPECT_EQ(escape("abcdef", 3), "abc… (6 bytes)");
}

}  // namespace
}  // namespace cvp::oracle
