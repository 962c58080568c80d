#include "common/backoff.hpp"

#include <gtest/gtest.h>

namespace cvp {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, doubles_up_to_its_limit_and_starts_again) {
    Backoff backoff(100ms, 350ms);
    EXPECT_EQ(backoff.next(), 100ms);
    EXPECT_EQ(backoff.next(), 200ms);
    EXPECT_EQ(backoff.next(), 350ms);
    EXPECT_EQ(backoff.next(), 350ms);
    backoff.reset();
    EXPECT_EQ(backoff.next(), 100ms);
}

}  // namespace
}  // namespace cvp
