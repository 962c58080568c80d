#include "proxy/upstream/login_slots.hpp"

#include <deque>
#include <memory>

#include <gtest/gtest.h>

#include "proxy/upstream/spare_policy.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

struct Waiter final : LoginSlots::Waiter {
    void on_login_turn() override { ++turns; }
    int turns = 0;
};

TEST(LoginSlots, four_go_at_once_and_the_rest_in_their_order) {
    LoginSlots slots;
    std::deque<Waiter> waiters(7);
    std::deque<LoginSlots::Claim> claims;
    for (auto& waiter : waiters)
        claims.emplace_back(slots, waiter);
    for (std::size_t i = 0; i < 7; ++i)
        EXPECT_EQ(claims[i].take(), i < 4) << i;
    claims[5].release();  // it waits no longer
    claims[0].release();
    EXPECT_EQ(waiters[4].turns, 1);
    claims[1].release();
    EXPECT_EQ(waiters[5].turns, 0);
    EXPECT_EQ(waiters[6].turns, 1);
    EXPECT_TRUE(claims[6].take()) << "it holds one already";
}

TEST(LoginSlots, a_claim_that_ends_gives_its_slot_back) {
    LoginSlots slots;
    Waiter waiter, last;
    {
        std::deque<LoginSlots::Claim> claims;
        for (int i = 0; i < 4; ++i)
            EXPECT_TRUE(claims.emplace_back(slots, waiter).take());
    }
    LoginSlots::Claim claim(slots, last);
    EXPECT_TRUE(claim.take());
}

TEST(SparePolicy, keeps_more_for_a_minute_after_a_client_had_to_wait) {
    const SteadyClock::time_point now{1h};
    SparePolicy policy(1);
    EXPECT_EQ(policy.wanted(now), 1u);
    policy.on_wait(now);
    EXPECT_EQ(policy.wanted(now + 59s), 4u);
    EXPECT_EQ(policy.wanted(now + 60s), 1u);
    SparePolicy none(0), many(8);
    none.on_wait(now);
    many.on_wait(now);
    EXPECT_EQ(none.wanted(now), 0u);
    EXPECT_EQ(many.wanted(now), 8u);
    EXPECT_EQ(SparePolicy::life(0), 432s);
    EXPECT_EQ(SparePolicy::life(1), 528s);
}

}  // namespace
}  // namespace cvp::proxy
