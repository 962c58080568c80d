#include "common/yaml/reader.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "common/yaml/parser.hpp"

namespace cvp::test {

enum class Colour { red, green };
std::string_view to_string(Colour colour) {
    return colour == Colour::red ? "Red" : "Green";
}

namespace {

using namespace std::chrono_literals;
using yaml::Reader;

yaml::Node node_of(std::string_view text) {
    auto parsed = yaml::parse(text);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? std::move(*parsed) : yaml::Node{};
}

/// The one fault of reading `k` in `text`.
std::string fault_of(std::string_view text, const std::function<bool(const yaml::Value&)>& read) {
    Reader reader(node_of(text));
    EXPECT_FALSE(read(reader.root()["k"])) << text;
    const auto findings = reader.finish();
    EXPECT_EQ(findings.faults.size(), 1u) << describe_faults("f", findings.faults);
    return findings.faults.empty() ? "" : findings.faults[0].key_path + ": " + findings.faults[0].message;
}

TEST(YamlReader, reads_values_and_keeps_defaults_of_absent_ones) {
    Reader reader(node_of("s: text\nn: -5\nb: true\nd: 1500ms\nc: Green\nl: [a, 'b']\nz: ~\n"));
    const auto root = reader.root();
    std::string s, z = "default", missing = "default";
    int n = 0;
    bool b = false;
    std::chrono::milliseconds d{};
    Colour c = Colour::red;
    std::vector<std::string> l;
    EXPECT_TRUE(root["s"].read(s));
    EXPECT_TRUE(root["n"].read(n, -10, 10));
    EXPECT_TRUE(root["b"].read(b));
    EXPECT_TRUE(root["d"].read(d, 0ms, 2s));
    EXPECT_TRUE(root["c"].read(c, {Colour::red, Colour::green}));
    EXPECT_TRUE(root["l"].read(l));
    EXPECT_FALSE(root["z"].read(z));
    EXPECT_FALSE(root["absent"]["deeper"].read(missing));
    EXPECT_EQ(s, "text");
    EXPECT_EQ(n, -5);
    EXPECT_TRUE(b);
    EXPECT_EQ(d, 1500ms);
    EXPECT_EQ(c, Colour::green);
    EXPECT_EQ(l, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(z, "default");
    EXPECT_EQ(missing, "default");
    EXPECT_EQ(reader.finish(), Findings{});
}

TEST(YamlReader, a_fault_of_a_string_says_what_is_there_instead) {
    std::string s = "kept";
    const auto read = [&](const auto& k) { return k.read(s, 5); };
    EXPECT_EQ(fault_of("k: [1]", read), "k: must be a string, not a list");
    EXPECT_EQ(fault_of("k: {}", read), "k: must be a string, not a map");
    EXPECT_EQ(fault_of("k: abcdef", read), "k: has 6 bytes; at most 5 are allowed");
    EXPECT_EQ(s, "kept");
}

TEST(YamlReader, a_fault_of_a_number_names_the_range) {
    std::uint16_t port = 7;
    const auto read = [&](const auto& k) { return k.read(port, 1, 65535); };
    EXPECT_EQ(fault_of("k: 70000", read), "k: must be a number from 1 to 65535, not \"70000\"");
    EXPECT_EQ(fault_of("k: '6379'", read), "k: must be a number from 1 to 65535, not \"6379\"");
    EXPECT_EQ(fault_of("k: {}", read), "k: must be a number from 1 to 65535, not a map");
    for (const auto* text :
         {"k: 0", "k: -1", "k: 1e3", "k: 0x10", "k: 010", "k: +5", "k: 5.0", "k: 99999999999999999999", "k: 6379a"}) {
        EXPECT_TRUE(fault_of(text, read).starts_with("k: must be a number")) << text;
    }
    EXPECT_EQ(port, 7) << "a fault leaves the target alone";
}

TEST(YamlReader, faults_of_the_other_kinds_say_what_is_expected) {
    bool b = false;
    const auto boolean = [&](const auto& k) { return k.read(b); };
    EXPECT_EQ(fault_of("k: yes", boolean), "k: must be true or false, not \"yes\"");
    EXPECT_EQ(fault_of("k: 'true'", boolean), "k: must be true or false, not \"true\"");

    Colour c{};
    const auto word = [&](const auto& k) { return k.read(c, {Colour::red, Colour::green}); };
    EXPECT_EQ(fault_of("k: red", word), "k: must be one of Red, Green, not \"red\"");
    EXPECT_EQ(fault_of("k: []", word), "k: must be one of Red, Green, not a list");

    std::chrono::milliseconds d{};
    const auto duration = [&](const auto& k) { return k.read(d, 1ms, 2s); };
    for (const auto* text : {"3s", "0s", "soon"}) {
        EXPECT_EQ(fault_of(std::string("k: ") + text, duration),
                  std::string("k: must be a duration from 1ms to 2s, not \"") + text + "\"");
    }

    std::vector<std::string> l;
    const auto strings = [&](const auto& k) { return k.read(l, 2); };
    EXPECT_EQ(fault_of("k: text", strings), "k: must be a list of strings, not \"text\"");
    EXPECT_EQ(fault_of("k: [a, {}]", strings), "k[1]: must be a string, not a map");
    EXPECT_EQ(fault_of("k: [a, b, c]", strings), "k: has 3 elements; at most 2 are allowed");
    EXPECT_TRUE(l.empty());
}

TEST(YamlReader, collects_all_faults_with_their_paths) {
    Reader reader(node_of("a: {b: [{c: x}, {c: 1}, 5, ~]}\n"));
    const auto root = reader.root();
    for (const auto& item : root["a"]["b"].items()) {
        int c = 0;
        item["c"].required("a number").read(c, 0, 9);
    }
    root["d"]["e"].required();
    const auto findings = reader.finish();
    EXPECT_EQ(describe_faults("f.yaml", findings.faults),
              "f.yaml: a.b[0].c: must be a number from 0 to 9, not \"x\"\n"
              "f.yaml: a.b[2]: must be a map, not \"5\"\n"
              "f.yaml: a.b[2].c: is missing; expected a number\n"
              "f.yaml: a.b[3]: must be a map, not nothing\n"
              "f.yaml: a.b[3].c: is missing; expected a number\n"
              "f.yaml: d.e: is missing\n");
}

TEST(YamlReader, a_wrong_type_is_reported_once) {
    Reader reader(node_of("a: text\n"));
    const auto a = reader.root()["a"];
    (void)a["x"];
    (void)a["y"];
    EXPECT_TRUE(a.items().empty());
    EXPECT_EQ(reader.finish().faults, (std::vector<Fault>{{"a", "must be a map, not \"text\""}}));
}

TEST(YamlReader, warns_of_keys_that_nobody_asked_for) {
    Reader reader(node_of("known: {inner: 1, typo: 2}\nother: {not: read}\n\"od\\nd\": 1\n"));
    (void)reader.root()["known"]["inner"];
    const auto findings = reader.finish();
    EXPECT_TRUE(findings.faults.empty());
    EXPECT_EQ(findings.warnings, (std::vector<Fault>{{"other", "unknown key, ignored"},
                                                     {"od?d", "unknown key, ignored"},
                                                     {"known.typo", "unknown key, ignored"}}));
}

TEST(YamlReader, the_document_must_be_a_map) {
    Reader empty(node_of(""));
    EXPECT_FALSE(empty.root());
    (void)empty.root();
    EXPECT_EQ(empty.finish().faults, (std::vector<Fault>{{"", "the document is empty"}}));
    Reader list(node_of("- a\n"));
    EXPECT_FALSE(list.root()["a"]);
    EXPECT_EQ(list.finish().faults, (std::vector<Fault>{{"", "the document must be a map of keys and values"}}));
}

}  // namespace
}  // namespace cvp::test
