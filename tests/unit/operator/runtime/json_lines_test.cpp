#include "operator/runtime/json_lines.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op {
namespace {

using Json = nlohmann::json;

/// All documents that are complete now.
std::vector<Json> drain(JsonLines& lines) {
    std::vector<Json> documents;
    for (auto next = lines.next(); next && *next; next = lines.next())
        documents.push_back(**next);
    return documents;
}

TEST(JsonLines, gives_the_same_documents_wherever_the_stream_is_cut) {
    const std::string stream = "{\"a\":1}\n\n{\"b\":\"\xc3\xa4\\n\"}\r\n[2]\n";
    const std::vector<Json> expected = {Json::parse("{\"a\":1}"), Json::parse("{\"b\":\"\xc3\xa4\\n\"}"), Json{2}};
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        JsonLines lines;
        std::vector<Json> seen;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            lines.feed(std::string_view(stream).substr(at, step));
            for (auto& document : drain(lines))
                seen.push_back(std::move(document));
        }
        EXPECT_EQ(seen, expected) << "in steps of " << step;
    }
}

TEST(JsonLines, waits_for_the_end_of_a_line) {
    JsonLines lines;
    lines.feed("{\"a\":1}");
    EXPECT_TRUE(drain(lines).empty());
    lines.feed("\n");
    EXPECT_EQ(drain(lines).size(), 1u);
    EXPECT_TRUE(drain(lines).empty());
}

TEST(JsonLines, refuses_what_is_no_json) {
    JsonLines lines;
    lines.feed("{\"a\":1}\n<html>\n");
    EXPECT_TRUE(lines.next().has_value());
    const auto bad = lines.next();
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::protocol_error);
}

TEST(JsonLines, refuses_a_line_that_is_too_long_before_it_ends) {
    JsonLines lines(10);
    lines.feed("[12345678]\n[12345678");
    EXPECT_TRUE(lines.next().has_value()) << "ten bytes";
    EXPECT_TRUE(lines.next().has_value()) << "nine so far";
    lines.feed("90");
    const auto bad = lines.next();
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::protocol_error);
}

}  // namespace
}  // namespace cvp::op
