#include "common/token_bucket.hpp"

#include <gtest/gtest.h>

namespace cvp {
namespace {

using namespace std::chrono_literals;

const TokenBucket::TimePoint kNow(1000s);

TEST(TokenBucket, gives_the_burst_at_once_and_then_one_by_one) {
    TokenBucket bucket(10, 3);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(bucket.take(kNow), 0ms);
    EXPECT_EQ(bucket.take(kNow), 100ms);
    EXPECT_EQ(bucket.take(kNow), 200ms) << "the first waiter has the first token";
    EXPECT_EQ(bucket.take(kNow + 200ms), 100ms);
}

TEST(TokenBucket, fills_up_to_the_burst_and_no_further) {
    TokenBucket bucket(10, 3);
    for (int i = 0; i < 3; ++i)
        bucket.take(kNow);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(bucket.take(kNow + 1h), 0ms);
    EXPECT_EQ(bucket.take(kNow + 1h), 100ms);
}

TEST(TokenBucket, gives_nothing_during_a_pause) {
    TokenBucket bucket(10, 3);
    bucket.pause(kNow + 5s);
    EXPECT_EQ(bucket.take(kNow), 5100ms);
    bucket.pause(kNow + 1s);
    EXPECT_EQ(bucket.take(kNow), 5200ms) << "a shorter pause does not end a longer one";
}

TEST(TokenBucket, is_full_at_first_also_on_a_machine_that_has_just_booted) {
    TokenBucket bucket(1.0 / 300, 25);
    const auto soon = SteadyClock::time_point() + 1s;
    for (int i = 0; i < 25; ++i)
        EXPECT_EQ(bucket.take(soon), 0s) << i;
    EXPECT_GT(bucket.take(soon), 299s);
}

}  // namespace
}  // namespace cvp
