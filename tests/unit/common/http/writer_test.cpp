#include "common/http/writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/parser.hpp"

namespace cvp::http {
namespace {

using testing::HasSubstr;
using testing::Not;

const Origin kOrigin{true, "api.example", 6443};

TEST(HttpWriter, adds_host_agent_and_length_where_they_are_missing) {
    Request request{"PATCH", "/a", {{"X", "y"}}, "body"};
    EXPECT_EQ(write_request(request, kOrigin),
              "PATCH /a HTTP/1.1\r\nHost: api.example:6443\r\nUser-Agent: cloud-valkey-proxy/" CVP_VERSION
              "\r\nX: y\r\nContent-Length: 4\r\n\r\nbody");
    request.headers = {{"host", "h"}, {"user-agent", "me"}, {"content-length", "4"}};
    EXPECT_EQ(write_request(request, kOrigin),
              "PATCH /a HTTP/1.1\r\nhost: h\r\nuser-agent: me\r\ncontent-length: 4\r\n\r\nbody");
}

TEST(HttpWriter, a_post_without_body_has_a_length_and_a_get_has_none) {
    EXPECT_THAT(write_request({"POST", "/", {}, ""}, kOrigin).value(), HasSubstr("Content-Length: 0\r\n"));
    EXPECT_THAT(write_request({"GET", "/", {}, ""}, kOrigin).value(), Not(HasSubstr("Content-Length")));
}

TEST(HttpWriter, refuses_to_write_what_would_be_read_as_something_else) {
    const Request bad[] = {
        {"GET /x HTTP/1.1\r\nA", "/", {}, ""},
        {"", "/", {}, ""},
        {"GET", "a", {}, ""},
        {"GET", "/a b", {}, ""},
        {"GET", "/a\r\nX:y", {}, ""},
        {"GET", "/", {{"A B", "c"}}, ""},
        {"GET", "/", {{"A", "canary\nX: y"}}, ""},
        {"GET", "/", {{"A", std::string("canary\0", 7)}}, ""},
    };
    for (const auto& request : bad) {
        const auto written = write_request(request, kOrigin);
        ASSERT_FALSE(written) << request.method << request.target;
        EXPECT_EQ(written.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(written.error().context, Not(HasSubstr("canary")));
    }
}

TEST(HttpWriter, a_response_has_the_length_it_has) {
    Response response = make_response(200, "text/plain", "abc");
    response.headers.set("Content-Length", "99");
    response.headers.set("Connection", "upgrade");
    EXPECT_EQ(write_response(response, true, false),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(write_response(response, false, true),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(write_response({204, {}, "x"}, true, false), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(HttpWriter, writes_what_the_parser_reads) {
    const Request request{"PUT", "/a?b=%20", {{"A", "1"}, {"A", "2"}}, std::string("\0\r\n\r\n", 5)};
    RequestParser parser(100);
    ASSERT_TRUE(parser.feed(write_request(request, kOrigin).value()));
    ASSERT_TRUE(parser.is_done());
    EXPECT_EQ(parser.message().method, "PUT");
    EXPECT_EQ(parser.message().target, request.target);
    EXPECT_EQ(parser.message().body, request.body);
    EXPECT_EQ(parser.take_rest(), "");
}

}  // namespace
}  // namespace cvp::http
