#include "common/http/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::http {
namespace {

using testing::HasSubstr;

TEST(Url, parses_origin_and_target) {
    const auto url = parse_url("https://example.com:8443/a/b?c=d").value();
    EXPECT_EQ(url.origin, (Origin{true, "example.com", 8443}));
    EXPECT_EQ(url.target, "/a/b?c=d");
}

TEST(Url, knows_the_ports_of_the_schemes) {
    EXPECT_EQ(parse_url("http://h")->origin, (Origin{false, "h", 80}));
    EXPECT_EQ(parse_url("HTTPS://h")->origin, (Origin{true, "h", 443}));
}

TEST(Url, always_has_a_target_that_begins_with_a_slash) {
    EXPECT_EQ(parse_url("http://h")->target, "/");
    EXPECT_EQ(parse_url("http://h?x=1")->target, "/?x=1");
    EXPECT_EQ(parse_url("http://h/")->target, "/");
}

TEST(Url, keeps_ipv6_without_brackets_and_writes_it_with_them) {
    const auto origin = parse_url("https://[fd00::1]:6443/")->origin;
    EXPECT_EQ(origin, (Origin{true, "fd00::1", 6443}));
    EXPECT_EQ(origin.to_string(), "https://[fd00::1]:6443");
    EXPECT_EQ(origin.host_header(), "[fd00::1]:6443");
    EXPECT_EQ(parse_url("http://[::1]/")->origin.host_header(), "[::1]");
}

TEST(Url, leaves_the_default_port_out_of_the_host_header_only) {
    const Origin origin{true, "h", 443};
    EXPECT_EQ(origin.to_string(), "https://h:443");
    EXPECT_EQ(origin.host_header(), "h");
    EXPECT_EQ((Origin{false, "h", 443}).host_header(), "h:443");
}

TEST(Url, refuses_what_it_does_not_understand_and_says_why) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "must begin with http"},
        {"ftp://h/", "must begin with http"},
        {"h:80", "must begin with http"},
        {"http://", "host is missing"},
        {"http://:80/", "host is missing"},
        {"http://h:0/", "from 1 to 65535"},
        {"http://h:/", "up to 65535"},
        {"http://h:65536/", "up to 65535"},
        {"http://h:-1/", "up to 65535"},
        {"http://h:8x/", "up to 65535"},
        {"http://[::1/", "not closed"},
        {"http://[1.2.3.4]/", "only an IPv6 address"},
        {"http://[::1]80/", "up to 65535"},
        {"http://::1/", "in brackets"},
        {"http://h h/", "no host name may have"},
        {"http://h/a#b", "fragment"},
        {"http://h/a b", "spaces"},
        {"http://h/a\r\nX: y", "control characters"},
    };
    for (const auto& [text, why] : cases) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(url.error().context, HasSubstr(why)) << text;
    }
}

TEST(Url, does_not_repeat_a_password_in_its_error) {
    const auto url = parse_url("http://user:hunter2@h/");
    ASSERT_FALSE(url);
    EXPECT_THAT(url.error().context, testing::Not(HasSubstr("hunter2")));
}

TEST(Authority, takes_the_default_port) {
    EXPECT_EQ(parse_authority("169.254.169.254", 80, false), (Origin{false, "169.254.169.254", 80}));
    EXPECT_EQ(parse_authority("localhost:8080", 80, false), (Origin{false, "localhost", 8080}));
    EXPECT_FALSE(parse_authority("", 80, false));
}

TEST(ListenAddress, needs_a_port_and_takes_all_addresses_for_none) {
    EXPECT_EQ(parse_listen_address(":9379"), (ListenAddress{"", 9379}));
    EXPECT_EQ(parse_listen_address("127.0.0.1:0"), (ListenAddress{"127.0.0.1", 0}));
    EXPECT_EQ(parse_listen_address("[::]:80"), (ListenAddress{"::", 80}));
    EXPECT_EQ(parse_listen_address("localhost:80"), (ListenAddress{"localhost", 80}));
    for (const char* bad : {"", "127.0.0.1", "9379", "example.com:80", "127.0.0.1:x"}) {
        EXPECT_FALSE(parse_listen_address(bad)) << bad;
    }
}

}  // namespace
}  // namespace cvp::http
