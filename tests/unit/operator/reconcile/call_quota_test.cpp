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

/// What was acquired ends at once.
void take(CallQuota& quota, const std::string& project, int number, std::size_t calls, bool is_urgent, TimePoint now) {
    EXPECT_FALSE(quota.acquire(project, key(number), calls, is_urgent, now)) << number;
    quota.succeeded(project, key(number), now);
}

TEST(CallQuota, lets_calls_through_until_the_minutes_share_is_used) {
    CallQuota quota(4);
    take(quota, "p", 1, 2, true, kStart);
    take(quota, "p", 2, 1, false, kStart + 10s);
    take(quota, "p", 3, 1, false, kStart + 20s);
    EXPECT_EQ(quota.acquire("p", key(4), 1, false, kStart + 30s), 30s) << "the first calls leave the minute then";
    EXPECT_EQ(quota.acquire("p", key(5), 2, false, kStart + 30s), 40s) << "behind the one before it";
    take(quota, "q", 6, 4, false, kStart + 30s);  // another project
    take(quota, "p", 4, 1, false, kStart + 60s);
}

TEST(CallQuota, urgent_calls_come_first_and_each_class_in_order) {
    CallQuota quota(2);
    take(quota, "p", 0, 2, false, kStart);
    EXPECT_TRUE(quota.acquire("p", key(1), 1, false, kStart + 1s));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, kStart + 2s));
    EXPECT_TRUE(quota.acquire("p", key(3), 1, true, kStart + 3s));
    const auto later = kStart + 60s;
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, later)) << "3 and 1 are before it";
    take(quota, "p", 1, 1, false, later);
    take(quota, "p", 3, 1, true, later);
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, later));
}

TEST(CallQuota, a_refresh_that_becomes_urgent_changes_the_line) {
    CallQuota quota(1);
    take(quota, "p", 0, 1, false, kStart);
    EXPECT_TRUE(quota.acquire("p", key(1), 1, false, kStart));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, false, kStart));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, true, kStart));
    EXPECT_TRUE(quota.acquire("p", key(1), 1, false, kStart + 60s));
    take(quota, "p", 2, 1, true, kStart + 60s);
}

TEST(CallQuota, who_never_comes_back_loses_the_place) {
    CallQuota quota(1);
    take(quota, "p", 0, 1, true, kStart);
    EXPECT_TRUE(quota.acquire("p", key(1), 1, true, kStart));
    EXPECT_TRUE(quota.acquire("p", key(2), 1, true, kStart + 100s)) << "1 is expected at 60 s and given a minute";
    take(quota, "p", 2, 1, true, kStart + 121s);
}

TEST(CallQuota, a_key_that_is_gone_leaves_the_line) {
    CallQuota quota(1);
    take(quota, "p", 0, 1, true, kStart);
    EXPECT_TRUE(quota.acquire("p", key(1), 1, true, kStart));
    quota.forget(key(1));
    take(quota, "p", 2, 1, true, kStart + 60s);
}

TEST(CallQuota, charges_and_refunds_count) {
    CallQuota quota(2);
    EXPECT_FALSE(quota.acquire("p", key(0), 2, true, kStart));
    quota.refund("p", key(0));
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, kStart));
    EXPECT_FALSE(quota.acquire("q", key(0), 1, true, kStart));
    quota.charge("q", key(0));
    quota.succeeded("q", key(0), kStart);
    EXPECT_EQ(quota.acquire("q", key(2), 1, true, kStart + 5s), 55s);
    quota.refund("nobody", key(0));
}

/// The cloud counts a call somewhere between its sending and its answer.
TEST(CallQuota, a_call_counts_until_a_minute_after_its_answer) {
    CallQuota quota(2);
    EXPECT_FALSE(quota.acquire("p", key(0), 2, true, kStart));
    EXPECT_EQ(quota.acquire("p", key(1), 1, true, kStart + 50s), 60s) << "at the earliest";
    quota.succeeded("p", key(0), kStart + 55s);
    EXPECT_EQ(quota.acquire("p", key(1), 1, true, kStart + 110s), 5s);
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, kStart + 115s));
}

TEST(CallQuota, what_never_ended_ends_when_its_key_asks_again) {
    CallQuota quota(1);
    EXPECT_FALSE(quota.acquire("p", key(0), 1, true, kStart));
    EXPECT_EQ(quota.acquire("p", key(0), 1, true, kStart + 10s), 60s);
    EXPECT_FALSE(quota.acquire("p", key(0), 1, true, kStart + 70s));
}

TEST(CallQuota, a_failure_pauses_its_project_ever_longer_and_no_other) {
    CallQuota quota(54);
    auto now = kStart;
    for (const auto pause : {2s, 4s, 8s, 16s, 32s, 64s, 120s, 120s}) {
        ASSERT_FALSE(quota.acquire("p", key(1), 1, true, now));
        quota.failed("p", key(1), 0s, now);
        EXPECT_EQ(quota.acquire("p", key(1), 1, true, now), pause);
        EXPECT_FALSE(quota.acquire("q", key(2), 1, true, now));
        quota.succeeded("q", key(2), now);
        now += pause;
    }
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, now));
    quota.succeeded("p", key(1), now);
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, now));
    quota.failed("p", key(1), 30s, now);
    EXPECT_EQ(quota.acquire("p", key(1), 1, true, now), 30s) << "what the cloud asked for, from the start again";
}

TEST(CallQuota, after_a_pause_one_call_probes_and_its_success_lets_the_others_through) {
    CallQuota quota(54);
    EXPECT_FALSE(quota.acquire("p", key(0), 1, true, kStart));
    quota.failed("p", key(0), 0s, kStart);
    const auto later = kStart + 2s;
    EXPECT_FALSE(quota.acquire("p", key(1), 1, true, later));
    EXPECT_EQ(quota.acquire("p", key(2), 1, true, later), 200ms) << "one at a time";
    quota.succeeded("p", key(1), later + 1s);
    EXPECT_FALSE(quota.acquire("p", key(2), 1, true, later + 1s));
    EXPECT_FALSE(quota.acquire("p", key(3), 1, true, later + 1s));
}

TEST(CallQuota, calls_that_fail_together_are_one_failure) {
    CallQuota quota(54);
    for (int i = 0; i < 5; ++i)
        EXPECT_FALSE(quota.acquire("p", key(i), 1, true, kStart));
    for (int i = 0; i < 4; ++i)
        quota.failed("p", key(i), 0s, kStart + 1s);
    quota.succeeded("p", key(4), kStart + 1s);
    EXPECT_EQ(quota.acquire("p", key(9), 1, true, kStart + 1s), 2s) << "a success of before proves nothing";
}

TEST(CallQuota, few_calls_of_a_project_are_in_flight_at_a_time) {
    CallQuota quota(54);
    for (int i = 0; i < 8; ++i)
        EXPECT_FALSE(quota.acquire("slow", key(i), 1, true, kStart));
    EXPECT_EQ(quota.acquire("slow", key(8), 1, true, kStart), 200ms);
    EXPECT_FALSE(quota.acquire("other", key(9), 1, true, kStart));
    quota.succeeded("slow", key(0), kStart);
    EXPECT_FALSE(quota.acquire("slow", key(8), 1, true, kStart));
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
    int asked = 0;
    while (!asking.empty()) {
        const auto [when, who] = *asking.begin();
        asking.erase(asking.begin());
        ++asked;
        if (const auto wait = quota.acquire("p", key(who), 2, true, when)) {
            ASSERT_GT(*wait, 0s);
            asking.emplace(when + *wait, who);
            continue;
        }
        quota.succeeded("p", key(who), when);
        calls.insert(calls.end(), 2, when);
        served[who] = when;
    }
    ASSERT_EQ(served.size(), 1000u);
    for (std::size_t i = 54; i < calls.size(); ++i)
        ASSERT_GE(calls[i] - calls[i - 54], 60s) << i;
    EXPECT_LE(asked, 3 * kConnections) << "each is told a good time";
    EXPECT_LE(served.rbegin()->second - kStart, 38min) << "2,000 calls at 54 a minute are 37 minutes";
    EXPECT_TRUE(std::is_sorted(served.begin(), served.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
    })) << "first come, first served";
}

}  // namespace
}  // namespace cvp::op
