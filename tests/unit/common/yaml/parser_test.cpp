#include "common/yaml/parser.hpp"

#include <string>

#include <gtest/gtest.h>

namespace cvp::test {
namespace {

using yaml::Node;

std::string fault_of(std::string_view text, yaml::Limits limits = {}) {
    const auto parsed = yaml::parse(text, limits);
    EXPECT_FALSE(parsed) << text.substr(0, 200);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().key_path, "");
    return parsed.error().message;
}

TEST(YamlParser, keeps_maps_lists_and_scalars_in_order) {
    const auto root = yaml::parse("b: 1\na: ['x', \"y\", z]\nc: {d: ~, e: }\n");
    ASSERT_TRUE(root) << root.error().message;
    ASSERT_EQ(root->kind, Node::Kind::map);
    ASSERT_EQ(root->fields.size(), 3u);
    EXPECT_EQ(root->fields[0].first, "b");
    EXPECT_TRUE(root->fields[0].second.is_plain);
    const auto& list = root->fields[1].second;
    ASSERT_EQ(list.items.size(), 3u);
    EXPECT_EQ(list.items[0].scalar, "x");
    EXPECT_FALSE(list.items[0].is_plain);
    EXPECT_FALSE(list.items[1].is_plain);
    EXPECT_TRUE(list.items[2].is_plain);
    EXPECT_EQ(root->fields[2].second.fields[0].second.kind, Node::Kind::null);
    EXPECT_EQ(root->fields[2].second.fields[1].second.kind, Node::Kind::null);
}

TEST(YamlParser, an_end_marker_or_a_missing_last_new_line_changes_nothing) {
    for (const auto* text : {"a: b\n...\n", "a: b\n...", "a: b", "---\na: b\n", "a: b\n# end"}) {
        const auto root = yaml::parse(text);
        ASSERT_TRUE(root) << '"' << text << "\": " << root.error().message;
        EXPECT_EQ(root->fields.at(0).second.scalar, "b");
    }
}

TEST(YamlParser, nothing_is_a_null_document) {
    for (const auto* text : {"", "\n\n", "# only a comment\n", "# comment", "---\n", "~", "...\n"}) {
        const auto root = yaml::parse(text);
        ASSERT_TRUE(root) << '"' << text << "\": " << root.error().message;
        EXPECT_EQ(root->kind, Node::Kind::null) << '"' << text << '"';
    }
}

TEST(YamlParser, errors_carry_line_and_column) {
    EXPECT_TRUE(fault_of("a: 1\nb: [1, 2\n").starts_with("line 3, column 1: not YAML: ")) << fault_of("a: [1");
    EXPECT_TRUE(fault_of("a: 1\n  b: 2\n").starts_with("line 2, column ")) << fault_of("a: 1\n  b: 2\n");
    for (const auto* unclosed : {"a: 'x\n", "a: 'x", "a: \"x\n", "a: \"x", "a: 'x\n\n", "a: {b: c\n", "a: \"\\\n"}) {
        EXPECT_TRUE(fault_of(unclosed).starts_with("line ")) << unclosed;
    }
}

TEST(YamlParser, refuses_anchors_and_aliases) {
    EXPECT_EQ(fault_of("a: &x 1\nb: *x\n"),
              "line 1, column 4: anchors and aliases are not supported; write the value out");
    std::string laughs = "a0: &a0 [lol]\n";
    for (int i = 1; i < 40; ++i) {
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" +
                  std::to_string(i - 1) + "]\n";
    }
    EXPECT_NE(fault_of(laughs).find("anchors and aliases"), std::string::npos);
    EXPECT_FALSE(yaml::parse("a: *never_defined\n"));
    EXPECT_FALSE(yaml::parse("? &k a\n: 1\n"));
}

TEST(YamlParser, refuses_tags_second_documents_and_odd_keys) {
    EXPECT_NE(fault_of("a: !!str 5\n").find("tags are not supported"), std::string::npos);
    EXPECT_NE(fault_of("a: !mine {}\n").find("tags are not supported"), std::string::npos);
    EXPECT_EQ(fault_of("a: 1\n---\nb: 2\n"), "line 2, column 1: one document is expected, a second one begins here");
    EXPECT_NE(fault_of("[a, b]: 1\n").find("a key must be a word"), std::string::npos);
    EXPECT_NE(fault_of("~: 1\n").find("a key must be a word"), std::string::npos);
    EXPECT_EQ(fault_of("a: 1\nb: 2\na: 3\n"), "line 3, column 1: key \"a\" stands twice");
}

TEST(YamlParser, is_bounded_in_size_depth_and_count) {
    EXPECT_EQ(fault_of(std::string(1024 * 1024 + 1, ' ')),
              "the document has 1048577 bytes; at most 1048576 are allowed");
    EXPECT_TRUE(yaml::parse("[[[[1]]]]", {.max_depth = 4}));
    EXPECT_EQ(fault_of("[[[[1]]]]", {.max_depth = 3}), "line 1, column 4: values are nested deeper than 3 levels");
    EXPECT_NE(fault_of(std::string(100'000, '[')).find("nested deeper than 16"), std::string::npos);
    std::string dashes;
    for (int i = 0; i < 5000; ++i)
        dashes += "- ";
    EXPECT_NE(fault_of(dashes + "x").find("nested deeper than 16"), std::string::npos);
    std::string flow_maps;
    for (int i = 0; i < 5000; ++i)
        flow_maps += "{a: ";
    EXPECT_FALSE(yaml::parse(flow_maps));
    EXPECT_TRUE(yaml::parse("[1, 2]", {.max_nodes = 3}));
    EXPECT_NE(fault_of("[1, 2, 3]", {.max_nodes = 3}).find("more than 3 values"), std::string::npos);
}

TEST(YamlParser, survives_every_truncation_and_single_byte_change) {
    const std::string good =
        "a: {b: [1, 'two', \"th\\x41\"], c: |\n    line\n    line\n}\nd:\n  - e: f\n    g: >-\n      h\n  - ~\n";
    for (std::size_t cut = 0; cut <= good.size(); ++cut)
        (void)yaml::parse(good.substr(0, cut));
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const char c : std::string("\0\n\t :-?[]{},#&*!|>'\"%@`\x80\xff", 24)) {
            auto bad = good;
            bad[at] = c;
            (void)yaml::parse(bad);  // must end, and not by an exception or a sanitizer report
        }
    }
}

}  // namespace
}  // namespace cvp::test
