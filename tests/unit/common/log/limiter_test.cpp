#include "common/log/limiter.hpp"

#include <gtest/gtest.h>

namespace cvp::log {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kNow{1h};

TEST(LogLimiter, lets_twenty_lines_of_a_sentence_through_in_a_second) {
    Limiter limiter;
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(limiter.pass("it failed", kNow), 0u);
    EXPECT_EQ(limiter.pass("it failed", kNow + 999ms), std::nullopt);
    EXPECT_EQ(limiter.pass("something else", kNow), 0u);
}

TEST(LogLimiter, says_afterwards_how_many_were_left_out) {
    Limiter limiter;
    for (int i = 0; i < 50; ++i)
        limiter.pass("it failed", kNow);
    EXPECT_EQ(limiter.pass("it failed", kNow + 1s), 30u);
    EXPECT_EQ(limiter.pass("it failed", kNow + 1s), 0u);
}

}  // namespace
}  // namespace cvp::log
