#include "operator/reconcile/refresh_plan.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using providers::Reason;
using providers::Refusal;

const Seconds kNow{std::chrono::seconds(1'795'176'000)};
const RefreshPlan kNothing{};
const RefreshPlan kEverything{true, true, true};

ValkeyConnection connection() {
    ValkeyConnection c;
    c.generation = 3;
    c.refresh = "a";
    return c;
}

/// Looked up `age` ago, with success, the CA with it.
Knowledge knowledge(std::chrono::seconds age) {
    Knowledge known;
    known.generation = 3;
    known.handled_refresh = "a";
    known.last_refresh = kNow - age;
    known.good = ResolvedConnection{};
    known.ca_target = "/ca";
    known.ca_refreshed = kNow - age;
    return known;
}

RefreshPlan plan(const Knowledge& known, const ValkeyConnection& c = connection()) {
    return plan_refresh(c, known, kNow);
}

TEST(RefreshPlan, everything_at_once_for_news) {
    EXPECT_EQ(plan(Knowledge{}), kEverything);
    EXPECT_EQ(next_refresh(connection(), Knowledge{}), std::nullopt) << "it is due, whenever its turn comes";
    auto known = knowledge(0s);
    EXPECT_EQ(plan(known), kNothing);
    known.generation = 2;
    EXPECT_EQ(plan(known), kEverything) << "the spec changed";
    known = knowledge(0s);
    known.handled_refresh = "";
    EXPECT_EQ(plan(known), kEverything) << "a refresh is asked for";
    auto without = connection();
    without.refresh = "";
    EXPECT_EQ(plan(knowledge(0s), without), kEverything) << "any other value is a new one";
}

TEST(RefreshPlan, the_instance_every_interval_times_jitter) {
    EXPECT_EQ(plan(knowledge(599s)), kNothing);
    EXPECT_EQ(plan(knowledge(600s)), (RefreshPlan{true, false, false}));
    auto known = knowledge(600s);
    known.jitter = 1.1;
    EXPECT_EQ(plan(known), kNothing);
    known.jitter = 0.9;
    known.last_refresh = kNow - 540s;
    EXPECT_TRUE(plan(known).instance);
    EXPECT_EQ(next_refresh(connection(), known), kNow);
    known = knowledge(100s);
    EXPECT_EQ(next_refresh(connection(), known), kNow + 500s);
}

TEST(RefreshPlan, the_ca_comes_with_the_instance_when_it_is_an_hour_old) {
    auto known = knowledge(600s);
    known.ca_refreshed = kNow - 3599s;
    EXPECT_EQ(plan(known), (RefreshPlan{true, false, false}));
    known.ca_refreshed = kNow - 3600s;
    EXPECT_EQ(plan(known), (RefreshPlan{true, true, false}));
    known.ca_refreshed.reset();
    EXPECT_EQ(plan(known), (RefreshPlan{true, true, false})) << "after a restart nobody knows how old it is";
}

TEST(RefreshPlan, the_ca_alone_where_the_interval_is_longer) {
    auto slow = connection();
    slow.spec.refresh_interval = 24h;
    EXPECT_EQ(plan(knowledge(3599s), slow), kNothing);
    EXPECT_EQ(plan(knowledge(3600s), slow), (RefreshPlan{false, true, false}));
    EXPECT_EQ(next_refresh(slow, knowledge(0s)), kNow + 1h);
    auto known = knowledge(3600s);
    known.ca_target.clear();
    EXPECT_EQ(plan(known, slow), kNothing) << "not known where it is: it waits for the instance";
    EXPECT_EQ(next_refresh(slow, known), kNow - 3600s + 24h);
}

TEST(RefreshPlan, a_document_that_was_lost_is_looked_up_again) {
    auto known = knowledge(0s);
    known.good.reset();
    EXPECT_TRUE(plan(known).instance);
    known.refusal = Refusal{Reason::permission_denied, "", {}};
    known.failures = 1;
    EXPECT_EQ(plan(known), kNothing) << "there never was one: wait for the next try";
}

TEST(RefreshPlan, a_last_refresh_in_the_future_does_not_stop_refreshing) {
    auto known = knowledge(-10s);
    EXPECT_EQ(plan(known), kNothing);
    known = knowledge(-1h);
    EXPECT_TRUE(plan(known).instance);
}

TEST(RefreshPlan, after_a_failure_it_is_tried_sooner) {
    auto known = knowledge(5s);
    known.refusal = Refusal{Reason::cloud_unavailable, "", {}};
    known.failures = 1;
    EXPECT_TRUE(plan(known).instance);
    known.failures = 2;
    EXPECT_EQ(plan(known), kNothing);
    EXPECT_EQ(next_refresh(connection(), known), kNow + 5s);
}

TEST(RetryDelay, doubles_up_to_a_limit_of_its_reason) {
    const auto delay = [](Reason reason, unsigned failures, std::chrono::seconds interval = 1h) {
        return retry_delay({reason, "", {}}, failures, interval);
    };
    EXPECT_EQ(delay(Reason::cloud_unavailable, 1), 5s);
    EXPECT_EQ(delay(Reason::cloud_unavailable, 3), 20s);
    EXPECT_EQ(delay(Reason::cloud_unavailable, 1'000'000), 5min);
    EXPECT_EQ(delay(Reason::instance_not_ready, 99), 1min);
    EXPECT_EQ(delay(Reason::permission_denied, 1), 15s);
    EXPECT_EQ(delay(Reason::permission_denied, 99), 5min);
    EXPECT_EQ(delay(Reason::cloud_unavailable, 99, 60s), 60s) << "never longer than the refresh interval";
    EXPECT_EQ(delay(Reason::network_ambiguous, 1, 10min), 10min) << "an edit comes with its own event";
}

TEST(RetryDelay, is_never_shorter_than_the_cloud_asked_for) {
    EXPECT_EQ(retry_delay({Reason::quota_exhausted, "", 90s}, 1, 10min), 90s);
    EXPECT_EQ(retry_delay({Reason::quota_exhausted, "", 1s}, 1, 10min), 30s);
    EXPECT_EQ(retry_delay({Reason::quota_exhausted, "", 20min}, 1, 10min), 20min);
}

}  // namespace
}  // namespace cvp::op
