#include "common/http/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::http {
namespace {

using testing::StartsWith;

constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n3;ext=\"v\"\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: "
    "t\r\n\r\nrest";

TEST(HttpParser, gives_the_same_message_however_the_bytes_are_cut) {
    for (std::size_t cut = 0; cut <= kChunked.size(); ++cut) {
        ResponseParser parser(100);
        ASSERT_TRUE(parser.feed(kChunked.substr(0, cut)));
        ASSERT_TRUE(parser.feed(kChunked.substr(cut)));
        ASSERT_TRUE(parser.is_done()) << cut;
        EXPECT_EQ(parser.message().status, 200U);
        EXPECT_EQ(parser.message().headers.find("x-a"), "1");
        EXPECT_EQ(parser.message().body, "abcd");
        EXPECT_EQ(parser.take_rest(), "rest");
    }
}

TEST(HttpParser, takes_single_bytes) {
    ResponseParser parser(100);
    EXPECT_FALSE(parser.has_begun());
    for (const char c : kChunked.substr(0, kChunked.size() - 4)) {
        EXPECT_FALSE(parser.is_done());
        ASSERT_TRUE(parser.feed({&c, 1}));
        EXPECT_TRUE(parser.has_begun());
    }
    EXPECT_TRUE(parser.is_done());
    EXPECT_EQ(parser.message().body, "abcd");
}

TEST(HttpParser, lets_the_body_be_taken_piece_by_piece) {
    ResponseParser parser(kNoBodyLimit);
    ASSERT_TRUE(parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"));
    EXPECT_TRUE(parser.has_header());
    EXPECT_EQ(std::exchange(parser.message().body, {}), "abc");
    ASSERT_TRUE(parser.feed("def"));
    EXPECT_EQ(parser.message().body, "def");
    EXPECT_TRUE(parser.is_done());
}

TEST(HttpParser, keeps_pipelined_requests_for_the_next_parser) {
    RequestParser one(100);
    ASSERT_TRUE(one.feed("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET"));
    EXPECT_EQ(one.message().target, "/1");
    RequestParser two(100);
    ASSERT_TRUE(two.feed(one.take_rest()));
    EXPECT_EQ(two.message().target, "/2");
    EXPECT_EQ(two.take_rest(), "GET");
}

TEST(HttpParser, knows_which_connections_go_on) {
    const std::pair<const char*, bool> cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    for (const auto& [text, goes_on] : cases) {
        RequestParser parser(0);
        ASSERT_TRUE(parser.feed(text));
        EXPECT_EQ(parser.keep_alive(), goes_on) << text;
    }
}

TEST(HttpParser, a_body_without_length_ends_with_the_connection) {
    ResponseParser parser(100);
    ASSERT_TRUE(parser.feed("HTTP/1.1 200 OK\r\n\r\nabc"));
    EXPECT_FALSE(parser.is_done());
    ASSERT_TRUE(parser.feed_end());
    EXPECT_TRUE(parser.is_done());
    EXPECT_FALSE(parser.keep_alive());
    EXPECT_EQ(parser.message().body, "abc");
}

TEST(HttpParser, an_end_in_the_middle_is_an_error) {
    for (const char* text : {"", "HTTP", "HTTP/1.1 200 OK\r\nA", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"}) {
        ResponseParser parser(100);
        ASSERT_TRUE(parser.feed(text));
        EXPECT_EQ(parser.feed_end().error().code, ErrorCode::protocol_error) << text;
    }
}

TEST(HttpParser, interim_responses_do_not_count_as_answers_but_as_bytes) {
    ResponseParser parser(100);
    ASSERT_TRUE(parser.feed("HTTP/1.1 100 Continue\r\n\r\n"));
    EXPECT_FALSE(parser.has_header());
    EXPECT_TRUE(parser.has_begun());
    ASSERT_TRUE(parser.feed("HTTP/1.1 204 No Content\r\n\r\n"));
    EXPECT_TRUE(parser.is_done());
    EXPECT_EQ(parser.message().status, 204U);
}

TEST(HttpParser, limits_are_exact) {
    RequestParser fits(4);
    EXPECT_TRUE(fits.feed("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"));
    RequestParser too_large(4);
    const auto refused = too_large.feed("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(refused.error(), (Error{ErrorCode::resource_exhausted, "the body is larger than 4 bytes"}));
    EXPECT_TRUE(too_large.is_body_too_large());
}

TEST(HttpParser, nothing_grows_without_bound) {
    const std::string filler(70'000, 'x');
    for (const auto& text : {"GET /" + filler, "GET / HTTP/1.1\r\n" + filler, "GET / HTTP/1.1\r\nA: " + filler,
                             "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + filler,
                             "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + filler}) {
        RequestParser parser(100);
        const auto refused = parser.feed(text);
        ASSERT_FALSE(refused) << text.substr(0, 60);
        EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted) << text.substr(0, 60);
        EXPECT_FALSE(parser.is_body_too_large());
    }
}

TEST(HttpParser, refuses_what_two_readers_could_read_differently) {
    for (const char* text :
         {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 1a\r\n\r\n",
          "GET / HTTP/1.1\r\nName : value\r\n\r\n", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"}) {
        RequestParser parser(100);
        const auto refused = parser.feed(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::protocol_error);
        EXPECT_THAT(refused.error().context, StartsWith("not HTTP/1.1: "));
    }
}

}  // namespace
}  // namespace cvp::http
