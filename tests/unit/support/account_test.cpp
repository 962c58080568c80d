#include "tests/support/account.hpp"

#include <gtest/gtest.h>

namespace cvp::test {
namespace {

/// 1 and 2 are done, 3 was refused, nothing is known of 4 and 5.
const Account kAccount{{1, 2}, {3}, 6};

TEST(Account, agrees_with_a_list_that_has_what_was_done_and_perhaps_what_nobody_knows_of) {
    EXPECT_EQ(find_fault(kAccount, {"1", "2"}), "");
    EXPECT_EQ(find_fault(kAccount, {"1", "2", "5"}), "");
    EXPECT_EQ(find_fault(kAccount, {"1", "2", "4", "5"}), "");
}

TEST(Account, tells_what_is_lost_or_done_too_often) {
    EXPECT_EQ(find_fault(kAccount, {"1"}), "2 was acknowledged and is lost");
    EXPECT_EQ(find_fault(kAccount, {}), "1 was acknowledged and is lost");
    EXPECT_EQ(find_fault(kAccount, {"1", "2", "2"}), "2 was executed twice");
    EXPECT_EQ(find_fault(kAccount, {"1", "2", "4", "4"}), "4 was executed twice");
    EXPECT_EQ(find_fault(kAccount, {"2", "1"}), "1 came after 2");
    EXPECT_EQ(find_fault(kAccount, {"1", "2", "3"}), "3 was refused and executed");
    EXPECT_EQ(find_fault(kAccount, {"1", "2", "6"}), "6 was never sent");
}

}  // namespace
}  // namespace cvp::test
