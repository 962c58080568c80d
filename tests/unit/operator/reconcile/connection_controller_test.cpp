#include "operator/reconcile/connection_controller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/operator/reconcile/reconciling.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::iam_instance;
using nlohmann::json;
using testing::ElementsAre;

TEST(WantsReconcile, our_own_status_write_is_no_reason) {
    const json object{{"metadata", {{"uid", "u"}, {"generation", 1}, {"resourceVersion", "1"}}}, {"status", 1}};
    const auto change = [&](auto edit) {
        auto after = object;
        edit(after);
        return wants_reconcile({{"shop", "a"}, std::make_shared<json>(object), std::make_shared<json>(after)});
    };
    EXPECT_FALSE(change([](json& o) { o["status"] = 2, o["metadata"]["resourceVersion"] = "2"; }));
    EXPECT_FALSE(change([](json& o) { o["metadata"]["labels"]["a"] = "b"; }));
    EXPECT_TRUE(change([](json& o) { o["metadata"]["generation"] = 2; }));
    EXPECT_TRUE(change([](json& o) { o["metadata"]["uid"] = "v"; }));
    EXPECT_TRUE(change([](json& o) { o["metadata"]["deletionTimestamp"] = "now"; }));
    EXPECT_TRUE(change([](json& o) { o["metadata"]["annotations"]["cloudvalkey.dev/refresh"] = "x"; }));
    EXPECT_TRUE(wants_reconcile({{"shop", "a"}, nullptr, std::make_shared<json>(object)}));
    EXPECT_TRUE(wants_reconcile({{"shop", "a"}, std::make_shared<json>(object), nullptr}));
}

TEST_F(Reconciling, a_restart_within_the_interval_makes_no_call_and_no_write) {
    create_and_settle();
    refresh_and_settle("one");
    const auto config_map_version = version(kConfigMap);
    const auto connection_version = version(kConnection);
    now += 5min;
    restart();
    ASSERT_TRUE(reaches([&] { return api.open_watches() == 3; }));
    settle();
    EXPECT_THAT(cloud.calls, ElementsAre());
    EXPECT_EQ(version(kConfigMap), config_map_version);
    EXPECT_EQ(version(kConnection), connection_version);
    EXPECT_EQ(api.count("apply") + api.count("create") + api.count("get"), 0u);
}

TEST_F(Reconciling, a_restart_with_a_failure_recorded_writes_nothing_either) {
    create_and_settle();
    cloud.answer(kInstanceTarget, 403, json::object());
    refresh_and_settle("one");
    ASSERT_EQ(condition("Ready"), "True/PermissionDenied");
    const auto connection_version = version(kConnection);
    now += 5s;
    restart();
    ASSERT_TRUE(reaches([&] { return api.open_watches() == 3; }));
    settle();
    EXPECT_EQ(version(kConnection), connection_version);
    EXPECT_THAT(cloud.calls, ElementsAre());
}

TEST_F(Reconciling, a_restart_after_the_interval_refreshes) {
    create_and_settle();
    now += 11min + 1s;
    restart();
    ASSERT_TRUE(reaches([&] { return status().last_refresh_time == format_rfc3339(now); }));
    EXPECT_EQ(cloud.calls.size(), 2u);
}

TEST_F(Reconciling, what_happened_while_nobody_watched_is_put_right) {
    create_and_settle();
    stop();
    auto edited = config_map();
    edited["data"]["connection.yaml"] = "edited: true";
    api.put(kConfigMap, edited);
    start();
    EXPECT_TRUE(reaches([&] { return config_map()["data"]["connection.yaml"] != "edited: true"; }));
    EXPECT_EQ(document().endpoints.at(0).host, "10.128.0.8");

    settle();
    stop();
    api.erase(kConfigMap);
    start();
    EXPECT_TRUE(reaches([&] { return config_map().is_object(); }));

    settle();
    stop();
    ask_for_refresh("while down");
    cloud.calls.clear();
    start();
    EXPECT_TRUE(reaches([&] { return status().last_handled_refresh == "while down"; }));
    EXPECT_EQ(cloud.calls.size(), 2u);
}

TEST_F(Reconciling, a_connection_that_is_gone_is_forgotten) {
    create_and_settle();
    api.erase(kConnection);
    api.erase(kConfigMap);  // the garbage collector's work
    settle();
    EXPECT_TRUE(config_map().is_null());
    EXPECT_EQ(cloud.calls.size(), 2u);

    create_and_settle();
    EXPECT_EQ(cloud.calls.size(), 4u) << "a new one of the same name starts from nothing";
}

TEST_F(Reconciling, events_come_on_change_only) {
    create_and_settle();
    EXPECT_THAT(events(), ElementsAre("Normal Resolved"));
    refresh_and_settle("nothing new");
    EXPECT_EQ(events().size(), 1u);
    cloud.answer(kInstanceTarget, 403, json::object());
    refresh_and_settle("one");
    refresh_and_settle("two");
    EXPECT_THAT(events(), ElementsAre("Normal Resolved", "Warning PermissionDenied")) << "the last good one is kept";
    restart();
    ASSERT_TRUE(reaches([&] { return api.open_watches() == 2; }));
    settle();
    EXPECT_THAT(events(), ElementsAre()) << "a restart is no news";
    cloud.answer(kInstanceTarget, 200, iam_instance());
    refresh_and_settle("three");
    EXPECT_THAT(events(), ElementsAre("Normal Resolved"));
    EXPECT_EQ(api.calls().back().path.plural, "events") << "written after the status that it tells of";
}

TEST_F(Reconciling, an_event_that_fails_costs_nothing) {
    api.put(kConfigMap, {{"metadata", json::object()}, {"data", {{"a", "b"}}}});
    api.fail_next("create", ErrorCode::permission_denied);  // there is no other POST
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return condition("Ready") == "False/NameConflict"; }));
    settle();
    EXPECT_THAT(events(), ElementsAre("Warning NameConflict"));
    EXPECT_EQ(controller->events().counters().failed, 1u);
    EXPECT_EQ(controller->controller().counters().error, 0u);
}

TEST_F(Reconciling, its_pods_are_counted_in_the_status_at_most_every_ten_seconds) {
    const auto pod = [](const std::string& name) {
        return json{{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"metadata",
                     {{"labels", {{"cloudvalkey.dev/injected", "true"}}},
                      {"annotations",
                       {{"cloudvalkey.dev/status", R"({"version":"1.4.0","connections":[{"name":"sessions"}]})"}}}}},
                    {"status",
                     {{"phase", "Running"},
                      {"initContainerStatuses",
                       json::array({json{{"name", "cloud-valkey-proxy"}, {"ready", name == "one"}}})}}}};
    };
    create_and_settle();
    api.put(pods("shop", "one"), pod("one"));
    settle();
    EXPECT_EQ(status().pods->total, 0) << "counted a moment ago";
    now += 10s;
    api.put(pods("shop", "two"), pod("two"));
    ASSERT_TRUE(reaches([&] { return status().pods && status().pods->total == 2; }));
    const auto written = api.stored(kConnection)["status"]["pods"];
    EXPECT_EQ(written, json::parse(R"({"total": 2, "ready": 1, "summary": "1/2", "versions": "1.4.0:2"})"));

    const auto before = version(kConnection);
    restart();
    settle();
    EXPECT_EQ(version(kConnection), before) << "a new leader counts the same";
}

}  // namespace
}  // namespace cvp::op
