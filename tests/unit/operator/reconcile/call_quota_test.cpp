#include "operator/reconcile/call_quota.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using TimePoint = CallQuota::TimePoint;

const TimePoint kStart{1000h};

ObjectKey key(int number) {
    return {"shop", "c" + std::to_string(number)};
}

TEST(CallQuota, lets_calls_through_until_the_minutes_share_is_used) {
    CallQuota quota(4);
    EXPECT_FALSE(quota.acquire("p", key(1), 2, true, kStart));
    EXPECT_FALSE(quota.acquire("p", key(2), 1, false, kStart + 10s));
    EXPECT_FALSE(quota.acquire("p", key(3), 1, false, kStart + 20s));
    EXPECT_EQ(quota.acquire("p", key(4), 1, false, kStart + 30s), 30s) << "the first calls leave the minute then";
    EXPECT_EQ(quota.acquire("p", key(5), 2, false, kStart + 30s), 40s) << "behind the one before it";
    EXPECT_FALSE(quota.acquire("q", key(6), 4, false, kStart + 30s)) << "another project";
    EXPECT_FALSE(quota.acquire("p", key(4), 1, false, kStart + 60s));
}

TEST(CallQuota, urgent_calls_come_first_and_each_class_in_order) {
    CallQuota quota(2);
    EXPECT_FALSE(quota.acquire("p", key(0), 2, false, kStart));
    EXPECT_TRUE(quota.acquire("p", key(1), 1, false, kStart + 1s));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, kStart + 2s));
    EXPECT_TRUE(quota.acquire("p", key(3), 1, true, kStart + 3s));
    const auto later = kStart + 60s;
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, later)) << "3 and 1 are before it";
    EXPECT_FALSE(quota.acquire("p", key(1), 1, false, later));
    EXPECT_FALSE(quota.acquire("p", key(3), 1, true, later));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, later));
}

TEST(CallQuota, a_refresh_that_becomes_urgent_changes_the_line) {
    CallQuota quota(1);
    EXPECT_FALSE(quota.acquire("p", key(0), 1, false, kStart));
    EXPECT_TRUE(quota.acquire("p", key(1), 1, false, kStart));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, kStart));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, true, kStart));
    EXPECT_TRUE(quota.acquire("p", key(1), 1, false, kStart + 60s));
    EXPECT_FALSE(quota.acquire("p", key(2), 1, true, kStart + 60s));
}

TEST(CallQuota, who_never_comes_back_loses_the_place) {
    CallQuota quota(1);
    EXPECT_FALSE(quota.acquire("p", key(0), 1, true, kStart));
    EXPECT_TRUE(quota.acquire("p", key(1), 1, true, kStart));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, true, kStart + 100s)) << "1 is expected at 60 s and given a minute";
    EXPECT_FALSE(quota.acquire("p", key(2), 1, true, kStart + 121s));
}

TEST(CallQuota, a_key_that_is_gone_leaves_the_line) {
    CallQuota quota(1);
    EXPECT_FALSE(quota.acquire("p", key(0), 1, true, kStart));
    EXPECT_TRUE(quota.acquire("p", key(1), 1, true, kStart));
    quota.forget(key(1));
    EXPECT_FALSE(quota.acquire("p", key(2), 1, true, kStart + 60s));
}

TEST(CallQuota, charges_and_refunds_count) {
    CallQuota quota(2);
    EXPECT_FALSE(quota.acquire("p", key(0), 2, true, kStart));
    quota.refund("p");
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, kStart));
    quota.charge("q", kStart);
    quota.charge("q", kStart);
    EXPECT_EQ(quota.acquire("q", key(2), 1, true, kStart + 5s), 55s);
    quota.refund("nobody");
}

TEST(CallQuota, a_pause_holds_everybody_back) {
    CallQuota quota(54);
    quota.pause("p", kStart + 30s);
    quota.pause("p", kStart + 10s);
    EXPECT_EQ(quota.acquire("p", key(1), 1, true, kStart), 30s);
    EXPECT_FALSE(quota.acquire("q", key(2), 1, true, kStart));
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, kStart + 30s));
}

/// 1,000 connections applied at once, each asking again when it is told to: what a day of a cluster's start looks like.
TEST(CallQuota, a_thousand_first_look_ups_are_bounded_by_the_quota_alone_and_none_starves) {
    constexpr int kConnections = 1000;
    CallQuota quota(54);
    std::multimap<TimePoint, int> asking;
    for (int i = 0; i < kConnections; ++i)
        asking.emplace(kStart, i);
    std::vector<TimePoint> calls;
    std::map<int, TimePoint> served;
    while (!asking.empty()) {
        const auto [when, who] = *asking.begin();
        asking.erase(asking.begin());
        if (const auto wait = quota.acquire("p", key(who), 2, true, when)) {
            ASSERT_GT(*wait, 0s);
            asking.emplace(when + *wait, who);
            continue;
        }
        calls.insert(calls.end(), 2, when);
        served[who] = when;
    }
    ASSERT_EQ(served.size(), 1000u);
    for (std::size_t i = 54; i < calls.size(); ++i)
        ASSERT_GE(calls[i] - calls[i - 54], 60s) << i;
    EXPECT_LE(served.rbegin()->second - kStart, 38min) << "2,000 calls at 54 a minute are 37 minutes";
    EXPECT_TRUE(std::is_sorted(served.begin(), served.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
    })) << "first come, first served";
}

}  // namespace
}  // namespace cvp::op
