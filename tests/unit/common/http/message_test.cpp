#include "common/http/message.hpp"

#include <gtest/gtest.h>

namespace cvp::http {
namespace {

TEST(HttpHeaders, are_found_without_regard_to_case) {
    const Headers headers{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
    EXPECT_EQ(headers.find("content-type"), "text/plain");
    EXPECT_EQ(headers.find("X-a"), "1");
    EXPECT_EQ(headers.find("Content-Typ"), std::nullopt);
}

TEST(HttpHeaders, set_replaces_all_of_that_name_and_add_none) {
    Headers headers{{"X-A", "1"}, {"B", "b"}, {"x-a", "2"}};
    headers.set("X-a", "3");
    EXPECT_EQ(headers, (Headers{{"B", "b"}, {"X-a", "3"}}));
    headers.add("B", "c");
    EXPECT_EQ(headers, (Headers{{"B", "b"}, {"X-a", "3"}, {"B", "c"}}));
}

TEST(HttpMessage, a_made_response_carries_its_content_type) {
    const auto response = make_response(503, "text/plain", "no");
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(response.headers.find("content-type"), "text/plain");
    EXPECT_EQ(response.body, "no");
}

TEST(HttpTarget, splits_into_path_and_decoded_parameters) {
    constexpr auto target = "/a/b?watch=true&label=a%3Db%2Cc&%24alt=json;x&flag&space=a+b&watch=false&odd=100%&half=%4";
    EXPECT_EQ(path_of(target), "/a/b");
    EXPECT_EQ(path_of("/a"), "/a");
    EXPECT_EQ(query_parameter(target, "watch"), "true");
    EXPECT_EQ(query_parameter(target, "label"), "a=b,c");
    EXPECT_EQ(query_parameter(target, "$alt"), "json;x");
    EXPECT_EQ(query_parameter(target, "flag"), "");
    EXPECT_EQ(query_parameter(target, "space"), "a b");
    EXPECT_EQ(query_parameter(target, "odd"), "100%");
    EXPECT_EQ(query_parameter(target, "half"), "%4");
    EXPECT_EQ(query_parameter(target, "lab"), std::nullopt);
    EXPECT_EQ(query_parameter("/a", "watch"), std::nullopt);
}

TEST(HttpTarget, percent_encoding_spares_only_unreserved_characters) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a/b =\xff"), "a%2Fb%20%3D%FF");
}

}  // namespace
}  // namespace cvp::http
