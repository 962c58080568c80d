// When the cloud is asked again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/source_tree.hpp"
#include "tests/unit/operator/reconcile/reconciling.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::ca_answer;
using cvp::test::iam_instance;
using nlohmann::json;
using testing::ElementsAre;

/// The reconciler alone, called by hand, with the clock moved in between.
class Refreshing : public testing::Test {
protected:
    Refreshing() {
        cloud.answer(kInstanceTarget, 200, iam_instance());
        cloud.answer(kCaTarget, 200, ca_answer(ca.pem()));
    }

    /// Tells the cache what the API holds, then reconciles once.
    SteadyClock::duration reconcile() {
        auto& scope = cache.scopes().front();
        fill(scope.connections, kConnection);
        fill(scope.config_maps, kConfigMap);
        const auto result = cvp::test::run(io, reconciler.reconcile(kRequest));
        EXPECT_TRUE(result) << to_string(result.error());
        return result && result->requeue_after ? *result->requeue_after : SteadyClock::duration::max();
    }
    void fill(Store& store, const ResourcePath& path) {
        const auto tell = [&](WatchDelta delta) { store.apply(std::move(delta), [](const StoreChange&) {}); };
        tell({WatchDelta::Kind::list_started, nullptr});
        const auto object = api.stored(path);
        if (object.is_object()) tell({WatchDelta::Kind::listed, std::make_shared<json>(object)});
        tell({WatchDelta::Kind::list_complete, nullptr});
    }
    void create(const std::string& interval) {
        auto object = connection();
        object["spec"]["refreshInterval"] = interval;
        api.put(kConnection, object);
    }
    std::vector<std::string> take_calls() { return std::exchange(cloud.calls, {}); }

    const cvp::test::TestCa ca{"the instance's CA"};
    asio::io_context io{1};
    cvp::test::FakeKubeApi api;
    cvp::test::FakeCloud cloud;
    cvp::test::FakePlace place;
    SystemClock::time_point now{std::chrono::seconds(1'795'176'000)};
    ConnectionCache cache{{}};
    PodCounter pods;
    ConnectionReconciler reconciler{api, cloud, place, cache, pods, [this] { return now; }};
};

TEST_F(Refreshing, the_instance_is_asked_every_interval_and_the_ca_every_hour) {
    create("10m");
    const auto first = reconcile();
    EXPECT_THAT(take_calls(), ElementsAre(kInstanceTarget, kCaTarget));
    EXPECT_GE(first, 9min);
    EXPECT_LE(first, 11min);

    int instance_calls = 0, ca_calls = 0;
    for (int i = 0; i < 24; ++i) {
        now += std::chrono::ceil<std::chrono::seconds>(reconcile());
        reconcile();
        for (const auto& call : take_calls())
            ++(call == kCaTarget ? ca_calls : instance_calls);
    }
    EXPECT_EQ(instance_calls, 24);
    EXPECT_GE(ca_calls, 3);
    EXPECT_LE(ca_calls, 4) << "24 intervals of about 10 minutes";
    EXPECT_EQ(api.count("create"), 1u);
    EXPECT_EQ(api.count("apply"), 26u) << "status: pending, resolved, and once for each refresh; the ConfigMap never";
}

TEST_F(Refreshing, with_a_long_interval_the_ca_is_asked_alone) {
    create("24h");
    EXPECT_EQ(reconcile(), 1h);
    take_calls();
    now += 1h;
    const cvp::test::TestCa next("the next CA");
    cloud.answer(kCaTarget, 200, ca_answer(next.pem()));
    EXPECT_EQ(reconcile(), 1h);
    EXPECT_THAT(take_calls(), ElementsAre(kCaTarget));
    const auto parsed = parse_resolved_connection(api.stored(kConfigMap)["data"]["connection.yaml"].get<std::string>());
    EXPECT_EQ(parsed.connection.tls.ca, next.pem());
    EXPECT_EQ(parsed.connection.instance.changed_at, "2026-11-20T13:00:00Z");

    now += 1h;
    cloud.answer(kCaTarget, 503, json::object());
    EXPECT_EQ(reconcile(), 5min) << "tried again soon, the last good one stays";
    EXPECT_THAT(take_calls(), ElementsAre(kCaTarget));
}

TEST_F(Refreshing, a_ca_that_is_gone_or_failing_does_not_make_it_spin) {
    create("10m");
    reconcile();
    now += 2h;
    cloud.answer(kCaTarget, 503, json::object());
    take_calls();
    EXPECT_GE(reconcile(), 4s);
    EXPECT_THAT(take_calls(), ElementsAre(kInstanceTarget, kCaTarget));

    now += 10min;
    auto plain = json::parse(cvp::test::read_source("tests/golden/memorystore/instance-standalone-open.json"));
    cloud.answer(kInstanceTarget, 200, plain);
    reconcile();
    now += 2h;
    EXPECT_GE(reconcile(), 9min) << "no CA is waited for any more";
    now += 2h;
    take_calls();
    EXPECT_GE(reconcile(), 9min);
    EXPECT_THAT(take_calls(), ElementsAre(kInstanceTarget));
}

TEST_F(Refreshing, failures_are_tried_again_ever_more_slowly) {
    cloud.answer(kInstanceTarget, 503, json::object());
    create("10m");
    std::vector<std::chrono::seconds> waits;
    for (int i = 0; i < 8; ++i) {
        waits.push_back(std::chrono::ceil<std::chrono::seconds>(reconcile()));
        now += waits.back();
    }
    EXPECT_EQ(take_calls().size(), 8u) << "instances.get alone";
    EXPECT_LE(waits.front(), 6s);
    EXPECT_GE(waits.back(), 270s);
    EXPECT_LE(waits.back(), 330s);
    EXPECT_EQ(reconciler.counters().look_ups.at("CloudUnavailable"), 8u);
}

TEST_F(Refreshing, nothing_is_concluded_from_a_cache_that_is_not_complete) {
    create("10m");
    const auto result = cvp::test::run(io, reconciler.reconcile(kRequest));
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->requeue_after);
    EXPECT_THAT(take_calls(), ElementsAre());
}

}  // namespace
}  // namespace cvp::op
