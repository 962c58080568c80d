#include "proxy/resp/inline_words.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using Words = std::vector<std::string>;

/// The words, or nothing if quotes are not balanced. They are read when all are there: none may have moved.
std::optional<Words> split(std::string_view line) {
    std::string scratch;
    InlineWords words(line, scratch);
    std::vector<std::string_view> views;
    while (true) {
        const auto next = words.next();
        if (next == InlineWords::Next::unbalanced) return std::nullopt;
        if (next == InlineWords::Next::end) return Words(views.begin(), views.end());
        views.push_back(words.word());
    }
}

TEST(InlineWords, splits_at_blanks) {
    EXPECT_EQ(split("GET k"), (Words{"GET", "k"}));
    EXPECT_EQ(split("  GET\t k \r"), (Words{"GET", "k"}));
    EXPECT_EQ(split(""), Words{});
    EXPECT_EQ(split(" \t\r\v\f"), Words{});
    EXPECT_EQ(split("a\rb"), (Words{"a", "b"}));
}

TEST(InlineWords, skips_odd_blanks_before_a_word_but_keeps_them_in_one) {
    EXPECT_EQ(split("\va\vb\fc d"), (Words{"a\vb\fc", "d"}));
}

TEST(InlineWords, reads_escapes_in_double_quotes) {
    EXPECT_EQ(split(R"("a b" "\n\r\t\b\a" "\x41\xfF" "\"\\\q")"), (Words{"a b", "\n\r\t\b\a", "A\xff", "\"\\q"}));
    EXPECT_EQ(split(R"("\x4" "\xg1" "\x1g")"), (Words{"x4", "xg1", "x1g"}));
    EXPECT_EQ(split(R"("\x00" "")"), (Words{std::string(1, '\0'), ""}));
}

TEST(InlineWords, reads_one_escape_in_single_quotes) {
    EXPECT_EQ(split(R"('a "b"' '\n' 'it\'s' '' '\\ ')"), (Words{"a \"b\"", "\\n", "it's", "", "\\\\ "}));
}

TEST(InlineWords, joins_a_quote_to_the_word_before_it) {
    EXPECT_EQ(split(R"(a"b c" d'e f')"), (Words{"ab c", "de f"}));
    EXPECT_EQ(split(R"(a\n "x")"), (Words{"a\\n", "x"}));
}

TEST(InlineWords, refuses_quotes_that_do_not_close_or_that_something_follows) {
    for (const auto* line : {R"(")", R"(')", R"("a)", R"('a)", R"("a\)", R"("a\")", R"('a\')", R"('a\\')", R"("a"b)",
                             R"('a'b)", R"("a""b")", R"(x "a'b)", R"(a")"}) {
        EXPECT_EQ(split(line), std::nullopt) << line;
    }
    EXPECT_EQ(split("\"a\"\v\"b\""), (Words{"a", "b"}));  // any blank may follow
}

TEST(InlineWords, keeps_many_quoted_words_in_place) {
    std::string line;
    Words expected;
    for (int i = 0; i < 1000; ++i) {
        line += "'" + std::to_string(i) + "' ";
        expected.push_back(std::to_string(i));
    }
    EXPECT_EQ(split(line), expected);
}

}  // namespace
}  // namespace cvp::proxy
