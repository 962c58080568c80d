#include "proxy/resp/reply_framer.hpp"

#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/framing.hpp"

namespace cvp::proxy {
namespace {

using test::frame_replies;
using test::FramedReplies;
using test::in_odd_pieces;
using test::in_one;
using test::in_pieces;
using test::in_two;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Frames = std::vector<std::string>;

/// What is found in one piece, after it was made sure that the same is found however the stream is cut.
FramedReplies frame(const std::string& stream) {
    auto found = frame_replies(in_one(stream));
    const std::size_t small = stream.size() < 300'000 ? 1 : 4093;
    EXPECT_EQ(frame_replies(in_pieces(stream, small)), found) << "in small pieces: " << stream;
    if (stream.size() < 2000) {
        for (std::size_t at = 1; at < stream.size(); ++at)
            EXPECT_EQ(frame_replies(in_two(stream, at)), found) << "cut at " << at << ": " << stream;
    }
    for (std::uint32_t seed = 0; seed < 5; ++seed)
        EXPECT_EQ(frame_replies(in_odd_pieces(stream, 40 * small, seed)), found)
            << "cut by seed " << seed << ": " << stream;
    std::string out;
    for (const auto& one : found.frames)
        out += one.bytes;
    EXPECT_EQ(out + found.rest, stream);
    return found;
}

/// The whole frames of a stream that is not broken.
Frames whole_frames(const std::string& stream) {
    const auto found = frame(stream);
    EXPECT_EQ(found.rest, "") << stream;
    Frames frames;
    for (const auto& one : found.frames) {
        if (one.is_whole) frames.push_back(one.bytes);
    }
    return frames;
}

TEST(ReplyFramer, finds_replies_of_each_type) {
    const Frames replies = {
        "+OK\r\n",
        "-ERR no\r\n",
        ":-12\r\n",
        "$5\r\nhello\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*2\r\n$1\r\na\r\n:1\r\n",
        "_\r\n",
        "#t\r\n",
        ",3.14\r\n",
        ",inf\r\n",
        "(3492890328409238509324850943850943825024385\r\n",
        "!5\r\nERR x\r\n",
        "=7\r\ntxt:abc\r\n",
        "%1\r\n+k\r\n:1\r\n",
        "%0\r\n",
        "~2\r\n:1\r\n:2\r\n",
        "~0\r\n",
        ">3\r\n+message\r\n+c\r\n$1\r\nm\r\n",
        "+\r\n",
    };
    std::string stream;
    for (const auto& reply : replies) {
        EXPECT_THAT(whole_frames(reply), ElementsAre(reply));
        stream += reply;
    }
    EXPECT_EQ(whole_frames(stream), replies);
    const auto found = frame(stream);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        EXPECT_EQ(found.frames[i].type, replies[i].front());
        EXPECT_EQ(found.frames[i].head, replies[i]);
    }
    EXPECT_TRUE(found.is_at_boundary);
}

TEST(ReplyFramer, says_nothing_of_nothing) {
    ReplyFramer framer;
    const auto step = framer.step("");
    EXPECT_EQ(step.taken, 0u);
    EXPECT_FALSE(step.is_whole);
    EXPECT_FALSE(step.is_broken);
    EXPECT_TRUE(framer.is_at_boundary());
    EXPECT_EQ(framer.type(), 0);
}

TEST(ReplyFramer, counts_nested_elements_maps_twice) {
    const std::string nested = "*3\r\n%2\r\n+a\r\n*2\r\n:1\r\n$-1\r\n+b\r\n~1\r\n%1\r\n_\r\n_\r\n>0\r\n*-1\r\n";
    EXPECT_THAT(whole_frames(nested + "+OK\r\n"), ElementsAre(nested, "+OK\r\n"));
}

TEST(ReplyFramer, puts_an_attribute_to_the_frame_that_it_precedes) {
    const std::string attribute = "|1\r\n+ttl\r\n*2\r\n:1\r\n:2\r\n";
    EXPECT_THAT(whole_frames(attribute + "$1\r\nv\r\n+OK\r\n"), ElementsAre(attribute + "$1\r\nv\r\n", "+OK\r\n"));
    const auto found = frame(attribute + attribute + "|0\r\n$1\r\nv\r\n");
    ASSERT_THAT(found.frames, SizeIs(1));
    EXPECT_EQ(found.frames[0].type, '$');
    EXPECT_EQ(found.frames[0].head, "$1\r\nv\r\n");
    EXPECT_TRUE(found.frames[0].is_whole);

    const auto unfinished = frame(attribute);
    ASSERT_THAT(unfinished.frames, SizeIs(1));
    EXPECT_EQ(unfinished.frames[0].type, 0);
    EXPECT_EQ(unfinished.frames[0].head, "");
    EXPECT_FALSE(unfinished.is_at_boundary);

    const auto within = "*2\r\n" + attribute + ":1\r\n|1\r\n|1\r\n+x\r\n+y\r\n+a\r\n+b\r\n:2\r\n";
    EXPECT_THAT(whole_frames(within + "_\r\n"), ElementsAre(within, "_\r\n"));
}

TEST(ReplyFramer, shows_the_first_bytes_of_a_frame) {
    const std::string text(300, 'x');
    const auto found = frame("$300\r\n" + text + "\r\n-NOAUTH who?\r\n");
    EXPECT_EQ(found.frames[0].head, ("$300\r\n" + text).substr(0, ReplyFramer::kHead));
    EXPECT_EQ(found.frames[1].head, "-NOAUTH who?\r\n");
}

TEST(ReplyFramer, takes_a_run_of_replies_up_to_one_that_needs_a_look) {
    const std::string usual = "+OK\r\n:1\r\n$-1\r\n$3\r\nabc\r\n$0\r\n\r\n";
    const ReplyFramer framer{};
    for (const std::string after :
         {"", "-ERR no\r\n", ">1\r\n+x\r\n", "*1\r\n:1\r\n", "_\r\n", "$3\r\nab", "+O", "$-2\r\n", "x"}) {
        const auto run = framer.take_usual(usual + after, 100);
        EXPECT_EQ(run.frames, 5u) << after;
        EXPECT_EQ(run.bytes, usual.size()) << after;
    }
    const auto two = framer.take_usual(usual, 2);
    EXPECT_EQ(two.frames, 2u);
    EXPECT_EQ(two.bytes, std::string("+OK\r\n:1\r\n").size());
}

TEST(ReplyFramer, ends_a_line_with_a_return_and_a_feed_alone) {
    EXPECT_THAT(whole_frames("+a\nb\rc\n\r\n-x\r\r\n+\r\n"), ElementsAre("+a\nb\rc\n\r\n", "-x\r\r\n", "+\r\n"));
    EXPECT_THAT(whole_frames("+\n\r\n"), ElementsAre("+\n\r\n"));
    EXPECT_THAT(whole_frames("+a\n"), IsEmpty());
}

TEST(ReplyFramer, does_not_look_into_bodies) {
    EXPECT_THAT(whole_frames("$6\r\n\r\n+OK\r\r\n+OK\r\n"), ElementsAre("$6\r\n\r\n+OK\r\r\n", "+OK\r\n"));
    const auto large = fmt::format("${}\r\n{}\r\n", 3'000'000, std::string(3'000'000, '*'));
    EXPECT_THAT(whole_frames(large + "+OK\r\n"), ElementsAre(large, "+OK\r\n"));
}

TEST(ReplyFramer, follows_a_nesting_of_any_depth) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += i % 2 == 0 ? "*1\r\n" : "*2\r\n_\r\n";
    deep += "$1\r\nx\r\n";
    EXPECT_THAT(whole_frames(deep + "+OK\r\n"), ElementsAre(deep, "+OK\r\n"));
}

TEST(ReplyFramer, is_broken_by_what_no_server_sends) {
    for (const std::string stream : {"x",
                                     "\r\n",
                                     "$?\r\n",
                                     "*?\r\n",
                                     ";4\r\n",
                                     ".\r\n",
                                     "$-2\r\n",
                                     "*-2\r\n",
                                     "%-1\r\n",
                                     "~-1\r\n",
                                     ">-1\r\n",
                                     "|-1\r\n",
                                     "!-1\r\n",
                                     "=-1\r\n",
                                     "$01\r\n",
                                     "$+1\r\n",
                                     "$\r\n",
                                     "*1 \r\n",
                                     "$1\n",
                                     "$1\rx",
                                     "*1\r\r\n",
                                     "*9223372036854775807\r\n",
                                     "$9223372036854775807\r\n",
                                     "$9223372036854775808\r\n",
                                     "%4611686018427387904\r\n",
                                     "%2305843009213693952\r\n"}) {
        const auto found = frame(stream + "+OK\r\n");
        EXPECT_NE(found.rest, "") << stream;
        EXPECT_FALSE(found.is_at_boundary) << stream;
        for (const auto& one : found.frames)
            EXPECT_FALSE(one.is_whole) << stream;
    }
}

TEST(ReplyFramer, is_broken_within_a_frame_where_the_oddity_stands) {
    const auto found = frame("+OK\r\n*2\r\n:1\r\nhello\r\n");
    ASSERT_THAT(found.frames, SizeIs(2));
    EXPECT_TRUE(found.frames[0].is_whole);
    EXPECT_EQ(found.frames[1].bytes, "*2\r\n:1\r\n");
    EXPECT_EQ(found.rest, "hello\r\n");
}

TEST(ReplyFramer, takes_nothing_once_it_is_broken) {
    ReplyFramer framer;
    EXPECT_TRUE(framer.step("?").is_broken);
    const auto step = framer.step("+OK\r\n");
    EXPECT_TRUE(step.is_broken);
    EXPECT_EQ(step.taken, 0u);
    EXPECT_FALSE(framer.is_at_boundary());
    EXPECT_TRUE(framer.step("").is_broken);
}

TEST(ReplyFramer, is_broken_before_its_counter_overflows) {
    std::string stream;
    for (int i = 0; i < 100; ++i)
        stream += "*1000000000000000000\r\n";
    const auto found = frame(stream);
    EXPECT_NE(found.rest, "");
    std::string maps;
    for (int i = 0; i < 100; ++i)
        maps += "|1000000000000000000\r\n";
    EXPECT_NE(frame(maps).rest, "");
    EXPECT_EQ(frame("*1000000000000000000\r\n+a\r\n").rest, "");
}

TEST(ReplyFramer, takes_a_body_however_many_elements_are_owed) {
    const auto found = frame("%1152921504606846975\r\n$1500\r\n" + std::string(1500, 'x') + "\r\n");
    EXPECT_EQ(found.rest, "");
    ASSERT_THAT(found.frames, SizeIs(1));
    EXPECT_FALSE(found.frames.front().is_whole);
}

TEST(ReplyFramer, steps_through_a_million_replies) {
    std::string stream;
    for (int i = 0; i < 1'000'000; ++i)
        stream += "$1\r\nv\r\n";
    ReplyFramer framer;
    std::size_t frames = 0;
    std::string_view rest = stream;
    while (!rest.empty()) {
        const auto step = framer.step(rest);
        ASSERT_TRUE(step.is_whole);
        rest.remove_prefix(step.taken);
        ++frames;
    }
    EXPECT_EQ(frames, 1'000'000u);
}

}  // namespace
}  // namespace cvp::proxy
