#include "proxy/upstream/health.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kStart{1h};
const LocalError kDown = make_local_error(Cause::upstream_unreachable, "refused");
const LocalError kChain = make_local_error(Cause::tls_chain, "foreign CA");

TEST(Health, proves_at_once_and_then_45_s_after_the_newest_success) {
    Health health(kStart);
    EXPECT_EQ(health.next_proof(), kStart);
    health.on_success(kStart + 1s);
    health.on_success(kStart + 30s);
    EXPECT_EQ(health.next_proof(), kStart + 75s);
}

TEST(Health, proves_again_after_250_ms_doubling_to_2_s) {
    Health health(kStart);
    auto now = kStart;
    for (const auto wait : {250ms, 500ms, 1000ms, 2000ms, 2000ms}) {
        health.on_proof_failed(now);
        EXPECT_EQ(health.next_proof(), now + wait);
        now += wait;
    }
    health.on_success(now);
    health.on_proof_failed(now);
    EXPECT_EQ(health.next_proof(), now + 250ms);
}

TEST(Health, cools_down_only_after_a_hold_in_vain_until_the_first_success) {
    Health health(kStart);
    health.on_failure(kDown);
    health.on_proof_failed(kStart);
    EXPECT_EQ(health.cooldown(), std::nullopt);
    health.on_vain_hold(kDown, kStart);
    EXPECT_EQ(health.cooldown(), kDown);
    health.on_failure(kChain);
    EXPECT_EQ(health.cooldown(), kChain) << "the newest reason";
    health.on_success(kStart + 1s);
    EXPECT_EQ(health.cooldown(), std::nullopt);
}

TEST(Health, a_hold_in_vain_brings_the_next_proof_forward) {
    Health health(kStart);
    health.on_success(kStart);
    health.on_vain_hold(kDown, kStart + 5s);
    EXPECT_EQ(health.next_proof(), kStart + 5250ms);
    health.on_proof_failed(kStart + 5250ms);
    const auto next = health.next_proof();
    health.on_vain_hold(kDown, kStart + 5300ms);
    EXPECT_EQ(health.next_proof(), next) << "only its beginning does";
}

}  // namespace
}  // namespace cvp::proxy
