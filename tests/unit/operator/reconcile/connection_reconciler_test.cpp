#include "operator/reconcile/connection_reconciler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/source_tree.hpp"
#include "tests/unit/operator/reconcile/reconciling.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::iam_instance;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Reconciling, a_connection_becomes_a_config_map_and_a_status) {
    create_and_settle();
    EXPECT_THAT(cloud.calls, ElementsAre(kInstanceTarget, kCaTarget));

    const auto written = document();
    EXPECT_EQ(written.name, "sessions");
    EXPECT_EQ(written.endpoints.at(0).host, "10.128.0.8");
    EXPECT_EQ(written.instance.source_generation, 1);
    EXPECT_EQ(written.instance.changed_at, "2026-11-20T12:00:00Z");
    EXPECT_EQ(written.tls.ca, ca.pem());
    EXPECT_EQ(written.auth.mode, AuthMode::google_iam);
    EXPECT_EQ(config_map()["metadata"]["ownerReferences"][0]["uid"], api.stored(kConnection)["metadata"]["uid"]);

    EXPECT_EQ(condition("Resolved"), "True/Resolved");
    EXPECT_EQ(condition("Reconciling"), "False/Resolved");
    EXPECT_EQ(condition("Stalled"), "False/Resolved");
    EXPECT_EQ(status().observed_generation, 1);
    EXPECT_EQ(status().config_map, "cloudvalkey-sessions");
    EXPECT_EQ(status().resolved.endpoint, "10.128.0.8:6379");
    EXPECT_EQ(status().last_refresh_time, "2026-11-20T12:00:00Z");
    EXPECT_NE(status().ca_expires_at, "");
    EXPECT_EQ(creations(), 1u) << "the ConfigMap";
    EXPECT_EQ(api.count("apply"), 2u) << "the status: pending, then ready";
}

TEST_F(Reconciling, unknown_is_written_before_the_cloud_is_asked) {
    cloud.hold = true;
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return !cloud.calls.empty(); }));
    EXPECT_EQ(condition("Ready"), "Unknown/Pending");
    EXPECT_EQ(condition("Reconciling"), "True/Pending");
}

TEST_F(Reconciling, a_refresh_that_finds_nothing_new_rewrites_nothing) {
    create_and_settle();
    const auto before = version(kConfigMap);
    now += 30s;
    refresh_and_settle("one");
    EXPECT_EQ(cloud.calls.size(), 4u) << "instance and CA at once";
    EXPECT_EQ(version(kConfigMap), before);
    EXPECT_EQ(status().last_refresh_time, "2026-11-20T12:00:30Z");
    settle();
    EXPECT_EQ(cloud.calls.size(), 4u) << "the same value asks once";
}

TEST_F(Reconciling, a_moved_instance_reaches_the_config_map) {
    create_and_settle();
    now += 30s;
    cloud.answer(kInstanceTarget, 200, iam_instance("10.200.0.1"));
    refresh_and_settle("one");
    EXPECT_EQ(document().endpoints.at(0).host, "10.200.0.1");
    EXPECT_EQ(document().instance.changed_at, "2026-11-20T12:00:30Z");
    EXPECT_EQ(status().resolved.endpoint, "10.200.0.1:6379");
}

TEST_F(Reconciling, a_changed_spec_is_looked_up_at_once) {
    create_and_settle();
    auto changed = api.stored(kConnection);
    changed["spec"]["tls"] = {{"verify", "ChainOnly"}};
    api.put(kConnection, changed);
    ASSERT_TRUE(reaches([&] { return status().observed_generation == 2; }));
    EXPECT_EQ(document().tls.verify, tls::Verify::chain_only);
    EXPECT_EQ(document().instance.source_generation, 2);
    EXPECT_EQ(cloud.calls.size(), 4u);
}

TEST_F(Reconciling, a_cluster_is_written_and_refused) {
    auto cluster = json::parse(cvp::test::read_source("tests/golden/memorystore/instance-cluster-iam-tls.json"));
    cloud.answer(kInstanceTarget, 200, cluster);
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return condition("Stalled") == "True/ClusterModeNotSupported"; }));
    EXPECT_EQ(condition("Ready"), "False/ClusterModeNotSupported");
    EXPECT_EQ(document().topology, Topology::cluster);
}

TEST_F(Reconciling, a_self_hosted_server_is_written_without_a_call_and_never_refreshed) {
    auto object = connection();
    object["spec"]["instance"] = {{"endpoints", {{"addresses", {"10.1.2.3:6379"}}}}};
    api.put(kConnection, object);
    ASSERT_TRUE(reaches([&] { return is_ready(); })) << condition("Ready");
    settle();
    EXPECT_THAT(cloud.calls, testing::IsEmpty());
    EXPECT_EQ(document().instance.provider, "endpoints");
    EXPECT_EQ(document().auth.mode, AuthMode::password);
    EXPECT_EQ(status().resolved.endpoint, "10.1.2.3:6379");
    EXPECT_FALSE(controller->controller().queue().next_due()) << "nothing to come back for";

    const auto versions = std::pair(version(kConnection), version(kConfigMap));
    now += 24h;
    restart();
    settle();
    EXPECT_EQ(std::pair(version(kConnection), version(kConfigMap)), versions);

    object = api.stored(kConnection);
    object["spec"]["instance"]["endpoints"]["addresses"] = {"10.9.9.9:6379"};
    api.put(kConnection, object);
    ASSERT_TRUE(reaches([&] { return status().resolved.endpoint == "10.9.9.9:6379"; }));
    EXPECT_EQ(document().instance.source_generation, 2);
}

TEST_F(Reconciling, a_short_name_is_completed_with_the_place) {
    api.put(kConnection, connection("my-valkey"));
    ASSERT_TRUE(reaches([&] { return is_ready(); }));
    EXPECT_EQ(document().instance.full_name, kFullName);
}

TEST_F(Reconciling, a_spec_of_another_schema_is_reported_and_not_looked_up) {
    auto odd = connection();
    odd["spec"]["instance"] = {{"memoryDB", {{"name", "x"}}}};
    api.put(kConnection, odd);
    ASSERT_TRUE(reaches([&] { return condition("Stalled") == "True/InvalidSpec"; }));
    const auto written = status();
    EXPECT_THAT(find_condition(written.conditions, "Ready")->message, HasSubstr("spec.instance.memorystoreValkey"));
    settle();
    EXPECT_THAT(cloud.calls, ElementsAre());
}

}  // namespace
}  // namespace cvp::op
