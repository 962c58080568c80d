#include "common/yaml/writer.hpp"

#include <random>

#include <gtest/gtest.h>

#include "common/yaml/parser.hpp"

namespace cvp::test {
namespace {

using yaml::Writer;

TEST(YamlWriter, writes_block_style) {
    Writer out;
    out.field("name", "sessions");
    out.begin_list("endpoints");
    out.begin_item();
    out.field("role", "primary");
    out.field("port", 6379);
    out.end();
    out.begin_item();
    out.begin_map("inner");
    out.field("ca", "-----BEGIN X-----\nabc=\n-----END X-----\n");
    out.end();
    out.field("last", "");
    out.end();
    out.end();
    out.begin_map("tls");
    out.field("minVersion", "1.2");
    out.field("ids", std::vector<std::string>{"ip:10.0.0.3", "plain"});
    out.field("none", std::vector<std::string>{});
    out.end();
    EXPECT_EQ(out.take(),
              "name: sessions\n"
              "endpoints:\n"
              "  - role: primary\n"
              "    port: 6379\n"
              "  - inner:\n"
              "      ca: |\n"
              "        -----BEGIN X-----\n"
              "        abc=\n"
              "        -----END X-----\n"
              "    last: \"\"\n"
              "tls:\n"
              "  minVersion: \"1.2\"\n"
              "  ids:\n"
              "    - \"ip:10.0.0.3\"\n"
              "    - plain\n"
              "  none: []\n");
}

std::string written(std::string_view value) {
    Writer out;
    out.field("k", value);
    return out.take();
}

TEST(YamlWriter, quotes_what_another_parser_could_take_for_something_else) {
    for (const auto* text : {"true", "Yes",  "no",  "ON", "off",
                             "null", "~",    "y",   "N",  "1",
                             "1.2",  "0x1f", "1e3", "-",  "2026-11-20T12:00:00Z",
                             "a: b", "a #b", "[a]", "{",  "*a",
                             "&a",   "!t",   "%",   "@",  "a b",
                             ""}) {
        EXPECT_EQ(written(text), "k: \"" + std::string(text) + "\"\n");
    }
    EXPECT_EQ(written("projects/p/locations/l"), "k: projects/p/locations/l\n");
}

/// Parses what was written as a field, as an element of a list and inside nested maps, and compares.
void expect_round_trip(const std::string& value) {
    Writer out;
    out.field("a", value);
    out.field("l", std::vector<std::string>{value, value});
    out.begin_map("m");
    out.begin_map("n");
    out.field("a", value);
    out.end();
    out.end();
    const auto text = out.take();
    const auto root = yaml::parse(text);
    ASSERT_TRUE(root) << root.error().message << "\n" << text;
    EXPECT_EQ(root->fields[0].second.scalar, value) << text;
    EXPECT_EQ(root->fields[1].second.items.at(1).scalar, value) << text;
    EXPECT_EQ(root->fields[2].second.fields[0].second.fields[0].second.scalar, value) << text;
}

TEST(YamlWriter, every_string_reads_back) {
    for (const auto* value : {"a", "two\nlines\n", "two\nlines", "two\n\nlines\n", " lead\nlines\n", "a\n b\n",
                              "tail \nx\n", "\n", "\n\n", "a\n", "\ttab\nx\n", "# comment\nx\n", "---\nx\n", "...\nx\n",
                              "- a\n- b\n", "quote\"back\\slash", "\x01\x7f", "ünïcode", "a: |\n"}) {
        expect_round_trip(value);
    }
}

TEST(YamlWriter, random_strings_read_back) {
    std::mt19937 random(20261120);
    const std::string alphabet = "ab01 \n\t\r:#-?[]{},&*!|>'\"%@`\\~=.\x01\x1b\x7f";
    for (int i = 0; i < 3000; ++i) {
        std::string value;
        for (auto length = random() % 12; length > 0; --length)
            value += alphabet[random() % alphabet.size()];
        expect_round_trip(value);
    }
}

}  // namespace
}  // namespace cvp::test
