#include "proxy/resp/length_line.hpp"

#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using State = LengthLine::State;

/// Its number and sign, or nothing if the line is none. The line ends with two bytes that are no part of the number.
std::optional<std::pair<bool, std::uint64_t>> read(std::string_view line) {
    LengthLine length;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto state = length.take(line[i]);
        if (state == State::bad) return std::nullopt;
        EXPECT_EQ(state == State::done, i + 1 == line.size()) << line;
    }
    return std::pair(length.is_negative(), length.magnitude());
}

std::pair<bool, std::uint64_t> number(std::uint64_t value) {
    return {false, value};
}

TEST(LengthLine, reads_what_the_server_takes_for_a_number) {
    EXPECT_EQ(read("0\r\n"), number(0));
    EXPECT_EQ(read("1\r\n"), number(1));
    EXPECT_EQ(read("10\r\n"), number(10));
    EXPECT_EQ(read("1234567890\r\n"), number(1234567890));
    EXPECT_EQ(read("9223372036854775807\r\n"), number(INT64_MAX));
    EXPECT_EQ(read("-1\r\n"), std::pair(true, std::uint64_t{1}));
    EXPECT_EQ(read("-9223372036854775808\r\n"), std::pair(true, std::uint64_t{1} << 63));
}

TEST(LengthLine, takes_any_byte_for_the_line_feed) {
    EXPECT_EQ(read("12\rX"), number(12));
    EXPECT_EQ(read("12\r\r"), number(12));
    EXPECT_EQ(read(std::string_view("12\r\0", 4)), number(12));
}

TEST(LengthLine, refuses_what_the_server_refuses) {
    for (const std::string_view line : {"\r\n",
                                        "-\r\n",
                                        "+1\r\n",
                                        "01\r\n",
                                        "00\r\n",
                                        "-0\r\n",
                                        "-01\r\n",
                                        " 1\r\n",
                                        "1 \r\n",
                                        "--1\r\n",
                                        "1-\r\n",
                                        "0x1\r\n",
                                        "1a\r\n",
                                        "1\n",
                                        "\n",
                                        "?\r\n",
                                        "1.0\r\n",
                                        "9223372036854775808\r\n",
                                        "-9223372036854775809\r\n",
                                        "18446744073709551616\r\n",
                                        "10000000000000000000\r\n",
                                        "99999999999999999999999999\r\n"}) {
        EXPECT_EQ(read(line), std::nullopt) << line;
    }
    EXPECT_EQ(read(std::string_view("\0001\r\n", 4)), std::nullopt);
}

TEST(LengthLine, knows_how_much_it_lacks_at_least) {
    LengthLine length;
    EXPECT_EQ(length.lacks(), 2u);
    length.take('1');
    EXPECT_EQ(length.lacks(), 2u);
    length.take('\r');
    EXPECT_EQ(length.lacks(), 1u);
}

}  // namespace
}  // namespace cvp::proxy
