// How the ConfigMap is written, restored and left alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/operator/reconcile/reconciling.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

TEST_F(Reconciling, a_config_map_that_was_edited_or_deleted_is_restored_without_a_call) {
    create_and_settle();
    const auto original = config_map()["data"];
    const auto restored = [&] {
        return config_map().is_object() && config_map()["data"]["connection.yaml"] == original["connection.yaml"];
    };

    auto edited = config_map();
    edited["data"]["connection.yaml"] = "edited: true";
    api.put(kConfigMap, edited);
    EXPECT_TRUE(reaches(restored));

    api.erase(kConfigMap);
    EXPECT_TRUE(reaches(restored));

    settle();
    auto unlabelled = config_map();
    unlabelled["metadata"].erase("labels");
    api.put(kConfigMap, unlabelled);
    api.end_watches(410);  // the real server sends DELETED to a watch by label; the fake lists again
    EXPECT_TRUE(reaches([&] { return config_map()["metadata"].contains("labels"); }));
    EXPECT_TRUE(is_ready());
    EXPECT_EQ(cloud.calls.size(), 2u);
    for (const auto& call : api.calls()) {
        if (call.verb != "apply" || call.path.plural != "configmaps") continue;
        EXPECT_TRUE(call.force);
        EXPECT_EQ(call.field_manager, "cloud-valkey-operator");
        EXPECT_TRUE(call.body["metadata"].contains("uid"));
        EXPECT_TRUE(call.body["metadata"].contains("resourceVersion"));
    }
}

TEST_F(Reconciling, a_config_map_that_is_not_ours_is_never_touched) {
    const json foreign{
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", json::object()}, {"data", {{"a", "b"}}}};
    const auto stored = api.put(kConfigMap, foreign);
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return condition("Ready") == "False/NameConflict"; }));
    settle();
    EXPECT_EQ(condition("Stalled"), "True/NameConflict");
    EXPECT_EQ(condition("Resolved"), "True/Resolved");
    EXPECT_EQ(config_map(), stored);
    EXPECT_EQ(creations(), 0u);
    for (const auto& call : api.calls())
        EXPECT_FALSE(call.verb == "apply" && call.path == kConfigMap);

    api.erase(kConfigMap);
    ask_for_refresh("one");
    EXPECT_TRUE(reaches([&] { return is_ready(); }));
}

TEST_F(Reconciling, one_that_appears_while_ours_is_posted_is_not_adopted_either) {
    cloud.hold = true;
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return !cloud.calls.empty(); }));
    // The read says that there is none, the POST that there is.
    api.fail_next("get", ErrorCode::not_found);
    const auto stored = api.put(kConfigMap, {{"metadata", json::object()}, {"data", {{"a", "b"}}}});
    cloud.hold = false;
    cloud.released.notify_all();
    ASSERT_TRUE(reaches([&] { return condition("Ready") == "False/NameConflict"; }));
    EXPECT_EQ(creations(), 1u);
    EXPECT_EQ(config_map(), stored);
}

TEST_F(Reconciling, in_a_terminating_namespace_nothing_is_said) {
    KubeError terminating;
    terminating.error = {ErrorCode::permission_denied, "namespace is being terminated"};
    terminating.http_status = 403;
    terminating.causes = {{"NamespaceTerminating", "", ""}};
    api.fail_next("create", terminating);
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return creations() == 1; }));
    settle();
    EXPECT_EQ(creations(), 1u) << "not tried again";
    EXPECT_EQ(condition("Ready"), "Unknown/Pending") << "nothing more was written";
}

TEST_F(Reconciling, a_config_map_of_an_earlier_connection_is_waited_for) {
    create_and_settle();
    const auto stale = config_map();
    api.erase(kConnection);
    settle();
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return condition("Ready") == "False/Pending"; }));
    settle();
    EXPECT_EQ(config_map(), stale);
    api.erase(kConfigMap);
    EXPECT_TRUE(reaches([&] { return is_ready(); }));
}

TEST_F(Reconciling, a_write_that_fails_is_tried_again_without_another_look_up) {
    api.fail_next("create", ErrorCode::unavailable);
    create_and_settle();
    EXPECT_EQ(creations(), 2u);
    EXPECT_EQ(cloud.calls.size(), 2u);
    auto edited = config_map();
    edited["data"]["connection.yaml"] = "edited: true";
    api.fail_next("apply", ErrorCode::conflict);
    api.put(kConfigMap, edited);
    EXPECT_TRUE(reaches([&] { return config_map()["data"]["connection.yaml"] != "edited: true"; }));
}

TEST_F(Reconciling, a_stop_in_the_middle_of_a_call_writes_nothing) {
    create_and_settle();
    cloud.hold = true;
    ask_for_refresh("one");
    ASSERT_TRUE(reaches([&] { return cloud.calls.size() == 3; }));
    const auto before = version(kConnection);
    cloud.failure = Error{ErrorCode::cancelled, "shutting down"};
    stop();
    EXPECT_EQ(version(kConnection), before);
    start();
}

}  // namespace
}  // namespace cvp::op
