#include "tests/oracle/mask.hpp"

#include <gtest/gtest.h>

namespace cvp::oracle {
namespace {

TEST(OracleMask, most_commands_have_none) {
    EXPECT_EQ(mask_of("get").kind, Mask::Kind::none);
    EXPECT_FALSE(equal_under(mask_of("get"), "$1\r\na\r\n", "$1\r\nb\r\n"));
    EXPECT_TRUE(equal_under(mask_of("get"), "$1\r\na\r\n", "$1\r\na\r\n"));
}

TEST(OracleMask, leaves_may_differ_but_not_their_types_nor_their_number) {
    const auto& mask = mask_of("time");
    EXPECT_TRUE(equal_under(mask, "*2\r\n$3\r\n123\r\n:5\r\n", "*2\r\n$4\r\n9999\r\n:66\r\n"));
    EXPECT_FALSE(equal_under(mask, "*2\r\n$3\r\n123\r\n:5\r\n", "*2\r\n$3\r\n123\r\n$1\r\n5\r\n"));
    EXPECT_FALSE(equal_under(mask, "*2\r\n:1\r\n:2\r\n", "*3\r\n:1\r\n:2\r\n:3\r\n"));
    EXPECT_FALSE(equal_under(mask, "$1\r\na\r\n", "$-1\r\n"));
    EXPECT_FALSE(equal_under(mask, "$1\r\na\r\n", "$900\r\n" + std::string(900, 'a') + "\r\n"));
    EXPECT_FALSE(equal_under(mask, "-ERR a\r\n", "-ERR b\r\n"));
}

TEST(OracleMask, only_the_named_field_of_hello_may_differ) {
    const auto& mask = mask_of("hello");
    EXPECT_TRUE(equal_under(mask, "*4\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:7\r\n",
                            "*4\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:88\r\n"));
    EXPECT_FALSE(equal_under(mask, "*4\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:7\r\n",
                             "*4\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:7\r\n"));
}

TEST(OracleMask, the_order_of_keys_may_differ_and_nothing_else) {
    const auto& mask = mask_of("keys");
    EXPECT_TRUE(equal_under(mask, "*2\r\n$1\r\na\r\n$2\r\nbb\r\n", "*2\r\n$2\r\nbb\r\n$1\r\na\r\n"));
    EXPECT_FALSE(equal_under(mask, "*2\r\n$1\r\na\r\n$2\r\nbb\r\n", "*2\r\n$2\r\nbb\r\n$1\r\nb\r\n"));
}

TEST(OracleMask, each_element_of_exec_has_the_mask_of_its_command) {
    const std::vector<const Mask*> masks = {&mask_of("get"), &mask_of("ttl")};
    EXPECT_TRUE(equal_under(masks, "*2\r\n$1\r\na\r\n:5\r\n", "*2\r\n$1\r\na\r\n:6\r\n"));
    EXPECT_FALSE(equal_under(masks, "*2\r\n$1\r\na\r\n:5\r\n", "*2\r\n$1\r\nb\r\n:5\r\n"));
    EXPECT_FALSE(equal_under(masks, "*2\r\n$1\r\na\r\n:5\r\n", "*3\r\n$1\r\na\r\n:5\r\n:6\r\n"));
}

}  // namespace
}  // namespace cvp::oracle
