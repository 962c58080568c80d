#include "common/json_bounds.hpp"

#include <string>

#include <gtest/gtest.h>

namespace cvp {
namespace {

constexpr JsonBounds kSmall{3, 6};

TEST(JsonBounds, count_levels_and_not_lists_beside_each_other) {
    EXPECT_TRUE(is_within_bounds(R"([[[]],[[]]])", {3, 100}));
    EXPECT_TRUE(is_within_bounds(R"({"a":{"b":[1]}})", kSmall));
    EXPECT_FALSE(is_within_bounds(R"({"a":{"b":[{}]}})", {3, 100}));
    EXPECT_FALSE(is_within_bounds(std::string(7'000'000, '['), {}));
}

TEST(JsonBounds, count_values) {
    EXPECT_TRUE(is_within_bounds("[1,2,3,4,5]", {3, 6}));
    EXPECT_FALSE(is_within_bounds("[1,2,3,4,5,6]", {3, 6}));
}

TEST(JsonBounds, look_over_strings) {
    EXPECT_TRUE(is_within_bounds(R"(["[[[[{{{{,,,,,,,,,,"])", kSmall));
    EXPECT_TRUE(is_within_bounds(R"(["\"[[[[\\",1])", kSmall)) << "an escaped quote does not end a string";
    EXPECT_FALSE(is_within_bounds(R"(["\\",[[[1]]]])", kSmall)) << "an escaped backslash does not escape the quote";
}

TEST(JsonBounds, take_what_is_no_json) {
    for (const auto* text : {"", "]]]]", "\"", "\"\\", "nonsense"})
        EXPECT_TRUE(is_within_bounds(text, kSmall)) << text;
}

}  // namespace
}  // namespace cvp
