#include "proxy/resp/request_framer.hpp"

#include <climits>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/framing.hpp"

namespace cvp::proxy {
namespace {

using test::frame_requests;
using test::FramedRequests;
using test::in_odd_pieces;
using test::in_one;
using test::in_pieces;
using test::in_two;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Event = RequestFramer::Event;
using Words = std::vector<std::string>;

constexpr auto kMaxHead = RequestFramer::kMaxHead;

std::string bulk(std::string_view text) {
    return fmt::format("${}\r\n{}\r\n", text.size(), text);
}

std::string command(const Words& words) {
    auto text = fmt::format("*{}\r\n", words.size());
    for (const auto& word : words)
        text += bulk(word);
    return text;
}

/// What is found in one piece, after it was made sure that the same is found however the stream is cut.
FramedRequests frame(const std::string& stream) {
    auto found = frame_requests(in_one(stream));
    const std::size_t small = stream.size() < 300'000 ? 1 : 4093;
    EXPECT_EQ(frame_requests(in_pieces(stream, small)), found) << "in small pieces: " << stream;
    if (stream.size() < 2000) {
        for (std::size_t at = 1; at < stream.size(); ++at)
            EXPECT_EQ(frame_requests(in_two(stream, at)), found) << "cut at " << at << ": " << stream;
    }
    for (std::uint32_t seed = 0; seed < 5; ++seed)
        EXPECT_EQ(frame_requests(in_odd_pieces(stream, 40 * small, seed)), found)
            << "cut by seed " << seed << ": " << stream;
    std::string out;
    for (const auto& event : found.events)
        out += event.bytes;
    EXPECT_EQ(out + found.kept, stream);
    return found;
}

/// "get/1", "auth/2 u p", "noise", "broken"; with "…" if a command is not whole.
Words outline(const std::string& stream) {
    Words lines;
    for (const auto& event : frame(stream).events) {
        if (event.kind != Event::command) {
            lines.push_back(event.kind == Event::noise ? "noise" : "broken");
            continue;
        }
        auto line = fmt::format("{}/{}", event.name, event.argument_count);
        for (const auto& argument : event.arguments)
            line += " " + argument;
        lines.push_back(line + (event.is_whole ? "" : "…"));
    }
    return lines;
}

TEST(RequestFramer, finds_commands_wherever_the_stream_is_cut) {
    const auto stream = command({"GET", "k"}) + command({"SET", "k", "v\r\n*1\r\n"}) + command({"PING"}) + "PING\r\n";
    const auto found = frame(stream);
    ASSERT_THAT(found.events, SizeIs(4));
    EXPECT_EQ(found.events[0].bytes, command({"GET", "k"}));
    EXPECT_EQ(found.events[1].bytes, command({"SET", "k", "v\r\n*1\r\n"}));
    EXPECT_TRUE(found.is_at_boundary);
    EXPECT_THAT(outline(stream), ElementsAre("get/1", "set/2", "ping/0", "ping/0"));
}

TEST(RequestFramer, says_nothing_of_nothing) {
    RequestFramer framer;
    EXPECT_EQ(framer.step().event, Event::starved);
    framer.feed("");
    EXPECT_EQ(framer.step().event, Event::starved);
    EXPECT_TRUE(framer.is_at_boundary());
}

TEST(RequestFramer, announces_a_command_at_its_name_and_passes_its_body_on) {
    RequestFramer framer;
    framer.feed("*3\r\n$3\r\nSET\r\n$1");
    auto step = framer.step();
    EXPECT_EQ(step.event, Event::command);
    EXPECT_EQ(framer.command().name, "set");
    EXPECT_EQ(framer.argument_count(), 2u);
    EXPECT_EQ(step.bytes, "*3\r\n$3\r\nSET\r\n$1");
    EXPECT_FALSE(step.is_whole);
    EXPECT_EQ(framer.step().event, Event::starved);
    EXPECT_FALSE(framer.is_at_boundary());
    framer.feed("\r\nk\r\n$2\r\nvv\r");
    step = framer.step();
    EXPECT_EQ(step.event, Event::body);
    EXPECT_EQ(step.bytes, "\r\nk\r\n$2\r\nvv\r");
    EXPECT_FALSE(step.is_whole);
    EXPECT_EQ(framer.step().event, Event::starved);
    framer.feed("\n*");
    step = framer.step();
    EXPECT_EQ(step.event, Event::body);
    EXPECT_EQ(step.bytes, "\n");
    EXPECT_TRUE(step.is_whole);
    EXPECT_TRUE(framer.is_at_boundary());
    EXPECT_EQ(framer.step().event, Event::starved);
    EXPECT_FALSE(framer.is_at_boundary());
}

TEST(RequestFramer, copies_a_head_that_is_cut_but_nothing_of_what_follows_it) {
    const auto begin = std::string("*2\r\n$3\r\nG");
    const auto rest = "ET\r\n" + bulk(std::string(40'000, 'k'));
    RequestFramer framer;
    framer.feed(begin);
    EXPECT_EQ(framer.step().event, Event::starved);
    framer.feed(rest);
    auto step = framer.step();
    EXPECT_EQ(step.event, Event::command);
    EXPECT_EQ(step.bytes, "*2\r\n$3\r\nGET\r\n");
    step = framer.step();
    EXPECT_EQ(step.event, Event::body);
    EXPECT_EQ(step.bytes.data(), rest.data() + 4);
    EXPECT_TRUE(step.is_whole);
}

TEST(RequestFramer, hands_a_plain_command_out_in_one_step_and_without_a_copy) {
    const auto stream = command({"SET", "k", "v"}) + command({"GET", "k"});
    RequestFramer framer;
    framer.feed(stream);
    auto step = framer.step();
    EXPECT_EQ(step.bytes.data(), stream.data());
    EXPECT_EQ(step.bytes, command({"SET", "k", "v"}));
    EXPECT_TRUE(step.is_whole);
    EXPECT_THAT(framer.arguments(), IsEmpty());
    step = framer.step();
    EXPECT_EQ(step.bytes, command({"GET", "k"}));
}

TEST(RequestFramer, captures_all_arguments_of_commands_that_change_state) {
    EXPECT_THAT(outline(command({"AUTH", "user", "pass word"})), ElementsAre("auth/2 user pass word"));
    EXPECT_THAT(outline(command({"hello", "3", "AUTH", "u", "p", "SETNAME", "n"})),
                ElementsAre("hello/6 3 AUTH u p SETNAME n"));
    EXPECT_THAT(outline(command({"SELECT", "3"}) + command({"CLIENT", "REPLY", "OFF"})),
                ElementsAre("select/1 3", "client/2 REPLY OFF"));
    EXPECT_THAT(outline(command({"SUBSCRIBE", "a", "", "b"})), ElementsAre("subscribe/3 a  b"));
    EXPECT_THAT(outline(command({"MULTI"}) + command({"EXEC"}) + command({"RESET"}) + command({"QUIT", "now"})),
                ElementsAre("multi/0", "exec/0", "reset/0", "quit/1 now"));
}

TEST(RequestFramer, hands_a_captured_head_out_alone_and_whole) {
    const auto stream = command({"RESET"}) + command({"SELECT", "1"}) + command({"GET", "k"});
    for (const auto& event : {frame(stream).events[0], frame(stream).events[1]}) {
        EXPECT_EQ(event.head, event.bytes.size());
        EXPECT_TRUE(event.is_whole);
    }
}

TEST(RequestFramer, captures_the_first_arguments_of_a_read_of_streams) {
    const auto read = command({"XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", "s", "$"});
    EXPECT_THAT(outline(read), ElementsAre("xread/7 COUNT 1 BLOCK 0 STREAMS s"));
    EXPECT_EQ(frame(read).events[0].head, read.size() - bulk("$").size());
    EXPECT_THAT(outline(command({"XREAD", "STREAMS", "s", "$"})), ElementsAre("xread/3 STREAMS s $"));
    EXPECT_THAT(
        outline(command({"XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "BLOCK", "0", "NOACK", "STREAMS", "s", ">"})),
        ElementsAre("xreadgroup/11 GROUP g c COUNT 1 BLOCK 0 NOACK"));
}

TEST(RequestFramer, announces_a_name_that_is_too_long_as_soon_as_its_length_is_known) {
    RequestFramer framer;
    framer.feed("*2\r\n$1000\r\n");
    const auto step = framer.step();
    EXPECT_EQ(step.event, Event::command);
    EXPECT_EQ(framer.command().name, "other");
    EXPECT_THAT(outline(command({std::string(1000, 'x'), "k"})), ElementsAre("other/1"));
    EXPECT_THAT(outline(command({std::string(kLongestCommand, 'x'), "k"})), ElementsAre("other/1"));
    EXPECT_THAT(outline(command({"", "k"})), ElementsAre("other/1"));
}

TEST(RequestFramer, does_not_look_at_terminators) {
    EXPECT_THAT(outline("*1\r\n$4\r\nPINGxx*2\r\n$3\r\nGET??$1\r\nk!!*2\r\n$6\r\nSELECTab$1\r\n1\n\n"),
                ElementsAre("ping/0", "get/1", "select/1 1"));
    EXPECT_THAT(outline("*1\rX$4\r?PING\r\n"), ElementsAre("ping/0"));
}

TEST(RequestFramer, takes_empty_commands_and_lines_for_noise) {
    EXPECT_THAT(outline("*0\r\n*-1\r\n*-9223372036854775808\r\n\r\n\n  \t \r\nPING\n"),
                ElementsAre("noise", "noise", "noise", "noise", "noise", "noise", "ping/0"));
}

TEST(RequestFramer, does_not_understand_what_servers_disagree_on_behind_a_line_of_blanks) {
    EXPECT_THAT(outline("\r\n" + command({"PING"})), ElementsAre("noise", "ping/0"));
    EXPECT_THAT(outline(" \r\n" + command({"PING"})), ElementsAre("noise", "broken"));
    EXPECT_THAT(outline(" \n\t\n*0\r\n"), ElementsAre("noise", "noise", "broken"));
    EXPECT_THAT(outline(" \n\n" + command({"PING"})), ElementsAre("noise", "noise", "ping/0"));
    EXPECT_THAT(outline(" \nPING\n" + command({"PING"})), ElementsAre("noise", "ping/0", "ping/0"));
}

TEST(RequestFramer, reads_inline_commands) {
    EXPECT_THAT(outline("GET k\r\nget k\nSELECT 1\n"), ElementsAre("get/1", "get/1", "select/1 1"));
    EXPECT_THAT(outline("auth 'us er' \"\\x70w\"\r\n"), ElementsAre("auth/2 us er pw"));
    EXPECT_THAT(outline("\"GET\" k\r\n'' k\r\n"), ElementsAre("get/1", "other/1"));
    EXPECT_THAT(outline("  ping\r\n"), ElementsAre("ping/0"));
    EXPECT_THAT(outline("XREAD COUNT 1 BLOCK 0 STREAMS s $\n"), ElementsAre("xread/7 COUNT 1 BLOCK 0 STREAMS s"));
    EXPECT_THAT(outline("POST / HTTP/1.1\r\nHost: x\r\n\r\n"), ElementsAre("other/2", "other/1", "noise"));
}

TEST(RequestFramer, is_broken_where_the_server_answers_with_a_protocol_error) {
    for (const std::string stream : {"*01\r\n$4\r\nPING\r\n",
                                     "*+1\r\n$4\r\nPING\r\n",
                                     "* 1\r\n",
                                     "*1 \r\n",
                                     "*\r\n",
                                     "*x\r\n",
                                     "*-0\r\n",
                                     "*2147483648\r\n",
                                     "*9223372036854775808\r\n",
                                     "*1\n",
                                     "*1\r\n$4 \r\nPING\r\n",
                                     "*1\r\n$04\r\nPING\r\n",
                                     "*1\r\n$+4\r\nPING\r\n",
                                     "*1\r\n$-1\r\n",
                                     "*1\r\n$\r\n",
                                     "*1\r\n:4\r\nPING\r\n",
                                     "*1\r\nPING\r\n",
                                     "*1\r\n*1\r\n",
                                     "*1\r\n$4\nPING\r\n",
                                     "*1\r\n$4611686018427387905\r\n",
                                     "\"a\r\n",
                                     "x 'y'z\r\n",
                                     "*2\r\n$4\r\nAUTH\r\nx\r\n",
                                     "*2\r\n$4\r\nAUTH\r\n$-1\r\n"}) {
        EXPECT_THAT(outline(stream), ElementsAre("broken")) << stream;
    }
}

TEST(RequestFramer, is_broken_within_a_command_and_says_so_behind_what_went_before) {
    const auto found = frame("*3\r\n$3\r\nSET\r\n$1\r\nk\r\nx\r\n*1\r\n$4\r\nPING\r\n");
    ASSERT_THAT(found.events, SizeIs(2));
    EXPECT_EQ(found.events[0].bytes, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n");
    EXPECT_FALSE(found.events[0].is_whole);
    EXPECT_EQ(found.events[1].kind, Event::broken);
    EXPECT_EQ(found.events[1].bytes, "x\r\n*1\r\n$4\r\nPING\r\n");
    EXPECT_TRUE(found.is_broken);
    EXPECT_FALSE(found.is_at_boundary);
    for (const std::string length : {"$-1\r\n", "$01\r\n", "$4611686018427387905\r\n", "$\r\n", "$1 \r\n"})
        EXPECT_THAT(outline("*2\r\n$3\r\nGET\r\n" + length), ElementsAre("get/1…", "broken")) << length;
}

TEST(RequestFramer, is_broken_by_a_nul_in_a_line_where_the_server_waits_for_ever) {
    EXPECT_THAT(outline(std::string("GET \0k\r\nPING\r\n", 14)), ElementsAre("broken"));
    EXPECT_THAT(outline(std::string("*1\0\r\n", 5)), ElementsAre("broken"));
    EXPECT_THAT(outline(command({"GET", std::string(1, '\0')})), ElementsAre("get/1"));
}

TEST(RequestFramer, stays_broken) {
    RequestFramer framer;
    framer.feed("*x");
    EXPECT_EQ(framer.step().event, Event::broken);
    EXPECT_TRUE(framer.is_broken());
    EXPECT_EQ(framer.step().event, Event::starved);
    const auto ping = command({"PING"});
    framer.feed(ping);
    const auto step = framer.step();
    EXPECT_EQ(step.event, Event::broken);
    EXPECT_EQ(step.bytes, ping);
}

TEST(RequestFramer, keeps_a_line_up_to_64_KiB) {
    const std::string line(kMaxHead, 'x');
    EXPECT_EQ(frame(line).kept, line);
    EXPECT_THAT(outline(line + "\nPING\r\n"), ElementsAre("other/0", "ping/0"));
    EXPECT_THAT(outline(line + "x"), ElementsAre("broken"));
    EXPECT_THAT(outline(line + "x\nPING\r\n"), ElementsAre("broken"));
}

TEST(RequestFramer, keeps_a_captured_head_up_to_64_KiB) {
    const auto overhead = command({"AUTH", std::string(60'000, 'x')}).size() - 60'000;
    const auto fits = command({"AUTH", std::string(kMaxHead - overhead, 'x')});
    EXPECT_EQ(fits.size(), kMaxHead);
    EXPECT_THAT(frame(fits).events[0].arguments, ElementsAre(std::string(kMaxHead - overhead, 'x')));
    EXPECT_FALSE(frame(fits).events[0].is_cut_short);

    Words many{"SUBSCRIBE"};
    many.resize(9'000, "c");
    EXPECT_THAT(frame(command(many)).events[0].arguments, SizeIs(8'999));
}

TEST(RequestFramer, cuts_captured_arguments_short_that_would_make_the_head_longer) {
    const auto overhead = command({"AUTH", "u", std::string(60'000, 'x')}).size() - 60'000;
    const auto found =
        frame(command({"AUTH", "u", std::string(kMaxHead - overhead + 1, 'x')}) + command({"SELECT", "1"}));
    ASSERT_THAT(found.events, SizeIs(2));
    EXPECT_TRUE(found.events[0].is_cut_short);
    EXPECT_TRUE(found.events[0].is_whole);
    EXPECT_THAT(found.events[0].arguments, ElementsAre("u"));
    EXPECT_EQ(found.events[0].argument_count, 2u);
    EXPECT_FALSE(found.events[1].is_cut_short);
    EXPECT_THAT(found.events[1].arguments, ElementsAre("1"));
    EXPECT_THAT(outline("*2\r\n$4\r\nAUTH\r\n$4611686018427387904\r\n"), ElementsAre("auth/1…"));

    Words many{"SUBSCRIBE"};
    many.resize(10'000, "c");
    const auto cut = frame(command(many)).events[0];
    EXPECT_TRUE(cut.is_cut_short);
    EXPECT_TRUE(cut.is_whole);
    EXPECT_EQ(cut.argument_count, 9'999u);
}

TEST(RequestFramer, does_not_limit_bodies_nor_their_number) {
    const auto set = command({"SET", "k", std::string(3'000'000, '$')});
    EXPECT_THAT(outline(set + command({"PING"})), ElementsAre("set/2", "ping/0"));
    EXPECT_THAT(outline(fmt::format("*{}\r\n$3\r\nDEL\r\n$1\r\nk\r\n", INT_MAX)),
                ElementsAre(fmt::format("del/{}…", INT_MAX - 1)));
    EXPECT_THAT(outline("*2\r\n$3\r\nGET\r\n$4611686018427387904\r\nabc"), ElementsAre("get/1…"));
    EXPECT_THAT(outline("*1\r\n$4611686018427387904\r\nabc"), ElementsAre("other/0…"));
    Words many(200'001, "k");
    many[0] = "DEL";
    EXPECT_THAT(outline(command(many)), ElementsAre("del/200000"));
}

TEST(RequestFramer, steps_through_a_million_commands_of_one_feed) {
    std::string stream;
    for (int i = 0; i < 1'000'000; ++i)
        stream += "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    RequestFramer framer;
    framer.feed(stream);
    std::size_t commands = 0;
    std::size_t bytes = 0;
    for (auto step = framer.step(); step.event != Event::starved; step = framer.step()) {
        commands += step.event == Event::command && step.is_whole ? 1 : 0;
        bytes += step.bytes.size();
    }
    EXPECT_EQ(commands, 1'000'000u);
    EXPECT_EQ(bytes, stream.size());
}

TEST(RequestFramer, hands_out_a_kept_head_before_the_input_that_broke_it) {
    RequestFramer framer;
    framer.feed("*2\r\n$4\r\nAU");
    EXPECT_EQ(framer.step().event, Event::starved);
    const std::string rest = "TH\r\nx and more";
    framer.feed(rest);
    std::string out;
    for (auto step = framer.step(); step.event != Event::starved; step = framer.step()) {
        EXPECT_EQ(step.event, Event::broken);
        out += step.bytes;
    }
    EXPECT_EQ(out, "*2\r\n$4\r\nAUTH\r\nx and more");
}

TEST(RequestFramer, gives_back_what_was_not_stepped_through) {
    const auto ping = command({"PING"});
    const auto stream = ping + "*2\r\n$3\r\nGET";
    RequestFramer framer;
    framer.feed(stream);
    EXPECT_EQ(framer.step().event, Event::command);
    EXPECT_EQ(framer.take_rest(), "*2\r\n$3\r\nGET");
    EXPECT_EQ(framer.step().event, Event::starved);
    EXPECT_TRUE(framer.is_at_boundary());
    framer.feed(ping);
    EXPECT_EQ(framer.step().bytes, ping);
}

TEST(RequestFramer, speaks_of_the_newest_command_that_was_announced) {
    RequestFramer framer;
    const auto stream = command({"BLPOP", "q", "0"}) + "*2\r\n$4\r\nAUTH\r\n$1\r\n";
    framer.feed(stream);
    EXPECT_EQ(framer.step().event, Event::command);
    EXPECT_EQ(framer.step().event, Event::starved);
    EXPECT_EQ(framer.command().name, "blpop");
    EXPECT_EQ(framer.argument_count(), 2u);
    framer.feed("p\r\n");
    EXPECT_EQ(framer.step().event, Event::command);
    EXPECT_EQ(framer.command().name, "auth");
    EXPECT_THAT(framer.arguments(), ElementsAre("p"));
}

}  // namespace
}  // namespace cvp::proxy
