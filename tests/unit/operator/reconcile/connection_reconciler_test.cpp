#include "operator/reconcile/connection_reconciler.hpp"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/reconcile/connection_controller.hpp"
#include "tests/support/async.hpp"
#include "tests/support/fake_cloud.hpp"
#include "tests/support/fake_kube_api.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::ca_answer;
using cvp::test::FakeCloud;
using cvp::test::FakePlace;
using cvp::test::iam_instance;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const auto kFullName = std::string("projects/my-project/locations/us-central1/instances/my-valkey");
const auto kInstanceTarget = "/v1/" + kFullName;
const auto kCaTarget = kInstanceTarget + "/certificateAuthority";
const auto kConnection = valkey_connections("shop", "sessions");
const ReconcileRequest kRequest(ObjectKey{"shop", "sessions"});
const auto kConfigMap = config_maps("shop", "cloudvalkey-sessions");

json connection(const std::string& instance = kFullName) {
    return {{"apiVersion", "cloudvalkey.dev/v1alpha1"},
            {"kind", "ValkeyConnection"},
            {"metadata", json::object()},
            {"spec", {{"instance", {{"memorystoreValkey", {{"name", instance}}}}}, {"refreshInterval", "10m"}}}};
}

/// The whole controller on an API and a cloud in memory.
class Reconciling : public testing::Test {
protected:
    Reconciling() {
        cloud.answer(kInstanceTarget, 200, iam_instance());
        cloud.answer(kCaTarget, 200, ca_answer(ca.pem()));
        start();
    }
    ~Reconciling() override { stop(); }

    void start() {
        controller = std::make_unique<ConnectionController>(api, cloud, place, std::vector<std::string>{},
                                                            [this] { return now; });
        controller->watch(tasks);
        controller->reconcile(tasks);
    }
    void stop() {
        controller->stop();
        cloud.hold = false;
        cloud.released.notify_all();
        EXPECT_TRUE(cvp::test::run(io, tasks.join(SteadyClock::now() + 5s)));
    }
    void restart() {
        stop();
        api.forget_calls();
        cloud.calls.clear();
        start();
    }

    template <class Condition>
    bool reaches(Condition condition) {
        return cvp::test::run_until(io, std::move(condition));
    }
    /// Lets everything settle: nothing was called for a while.
    void settle() {
        auto calls = api.calls().size() + cloud.calls.size() + 1;
        while (calls != api.calls().size() + cloud.calls.size()) {
            calls = api.calls().size() + cloud.calls.size();
            cvp::test::run_until(
                io, [] { return false; }, 100ms);
        }
    }

    json config_map() const { return api.stored(kConfigMap); }
    ResolvedConnection document() const {
        const auto parsed = parse_resolved_connection(config_map()["data"]["connection.yaml"].get<std::string>());
        EXPECT_EQ(describe_faults("document", parsed.faults), "");
        return parsed.connection;
    }
    ConnectionStatus status() const { return read_connection_status(api.stored(kConnection)); }
    /// "True/Resolved" of a condition of the stored status, "" where there is none.
    std::string condition(std::string_view type) const {
        const auto written = status();
        const auto* found = find_condition(written.conditions, type);
        return found == nullptr ? "" : std::string(to_string(found->status)) + "/" + found->reason;
    }
    bool is_ready() const { return condition("Ready") == "True/Resolved"; }
    std::string version(const ResourcePath& path) const {
        return api.stored(path)["metadata"]["resourceVersion"].get<std::string>();
    }

    /// "Warning PermissionDenied" of every Event that was written, in order.
    std::vector<std::string> events() const {
        std::vector<std::string> texts;
        for (const auto& call : api.calls()) {
            if (call.verb != "create" || call.path.plural != "events") continue;
            texts.push_back(call.body["type"].get<std::string>() + " " + call.body["reason"].get<std::string>());
        }
        return texts;
    }
    /// POSTs, Events apart.
    std::size_t creations() const { return api.count("create") - events().size(); }

    void ask_for_refresh(const std::string& value) {
        auto object = api.stored(kConnection);
        object["metadata"]["annotations"]["cloudvalkey.dev/refresh"] = value;
        api.put(kConnection, object);
    }
    void refresh_and_settle(const std::string& value) {
        ask_for_refresh(value);
        EXPECT_TRUE(reaches([&] { return status().last_handled_refresh == value; }));
        settle();
    }
    void create_and_settle() {
        api.put(kConnection, connection());
        EXPECT_TRUE(reaches([&] { return is_ready(); })) << condition("Ready");
        settle();
    }

    const cvp::test::TestCa ca{"the instance's CA"};
    asio::io_context io{1};
    cvp::test::FakeKubeApi api;
    FakeCloud cloud;
    FakePlace place;
    SystemClock::time_point now{std::chrono::seconds(1'795'176'000)};  // 2026-11-20T12:00:00Z
    TaskGroup tasks{io};
    std::unique_ptr<ConnectionController> controller;
};

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

TEST_F(Reconciling, the_last_good_configuration_stays_on_every_error) {
    create_and_settle();
    const auto before = version(kConfigMap);
    const std::vector<std::pair<unsigned, std::string>> errors{{403, "PermissionDenied"},
                                                               {404, "InstanceNotFound"},
                                                               {429, "QuotaExhausted"},
                                                               {503, "CloudUnavailable"},
                                                               {401, "PermissionDenied"}};
    for (const auto& [code, reason] : errors) {
        cloud.answer(kInstanceTarget, code, json::object());
        now += 1s;
        if (code == 503) continue;  // after a 429 the project pauses; see below
        ask_for_refresh(std::to_string(code));
        if (code == 429) {
            ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/" + reason; }));
            break;
        }
        ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/" + reason; })) << code;
        EXPECT_EQ(condition("Ready"), "True/" + reason);
        EXPECT_EQ(condition("Stalled"), "False/" + reason);
    }
    EXPECT_EQ(version(kConfigMap), before);
}

TEST_F(Reconciling, after_a_429_the_project_is_left_alone) {
    create_and_settle();
    cloud.answer(kInstanceTarget, 429, json::object());
    ask_for_refresh("one");
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/QuotaExhausted"; }));
    const auto calls = cloud.calls.size();
    ask_for_refresh("two");
    settle();
    EXPECT_EQ(cloud.calls.size(), calls);
    EXPECT_EQ(status().last_handled_refresh, "one") << "the second one waits its turn";
}

TEST_F(Reconciling, a_cloud_that_cannot_be_reached_is_unavailable) {
    create_and_settle();
    cloud.failure = Error{ErrorCode::unavailable, "connection refused"};
    refresh_and_settle("one");
    EXPECT_EQ(condition("Resolved"), "False/CloudUnavailable");
    EXPECT_EQ(condition("Ready"), "True/CloudUnavailable");
    cloud.failure.reset();
    now += 2s;
    refresh_and_settle("two");
    EXPECT_TRUE(is_ready());
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

TEST_F(Reconciling, without_a_ca_there_is_no_document_and_a_later_failure_keeps_the_last_good_one) {
    cloud.answer(kCaTarget, 503, json::object());
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/CloudUnavailable"; }));
    EXPECT_TRUE(config_map().is_null());

    cloud.answer(kCaTarget, 200, ca_answer(ca.pem()));
    now += 20s;  // the pause after a failure
    refresh_and_settle("one");
    EXPECT_TRUE(is_ready());

    cloud.answer(kCaTarget, 503, json::object());
    cloud.answer(kInstanceTarget, 200, iam_instance("10.200.0.1"));
    now += 20s;  // the pause after a failure
    refresh_and_settle("two");
    EXPECT_EQ(condition("Ready"), "True/CloudUnavailable");
    EXPECT_EQ(document().endpoints.at(0).host, "10.200.0.1") << "the move is not held up by the CA";
    EXPECT_EQ(document().tls.ca, ca.pem());
}

TEST_F(Reconciling, the_ca_of_another_instance_is_never_used) {
    create_and_settle();
    const auto other = std::string("projects/my-project/locations/us-central1/instances/other");
    cloud.answer("/v1/" + other, 200, iam_instance("10.99.0.1"));
    auto changed = api.stored(kConnection);
    changed["spec"]["instance"]["memorystoreValkey"]["name"] = other;
    api.put(kConnection, changed);
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/InstanceNotFound"; }));
    EXPECT_EQ(document().endpoints.at(0).host, "10.128.0.8") << "its own CA is missing: the last good stays whole";
}

TEST_F(Reconciling, a_short_name_is_completed_with_the_place) {
    api.put(kConnection, connection("my-valkey"));
    ASSERT_TRUE(reaches([&] { return is_ready(); }));
    EXPECT_EQ(document().instance.full_name, kFullName);
}

TEST_F(Reconciling, a_short_name_without_a_place_names_the_remedy) {
    place.place = fail(ErrorCode::unavailable, "the metadata server cannot be reached");
    api.put(kConnection, connection("my-valkey"));
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/CloudUnavailable"; }));
    const auto written = status();
    EXPECT_THAT(find_condition(written.conditions, "Resolved")->message,
                testing::AllOf(HasSubstr("the metadata server cannot be reached"), HasSubstr("give the full name")));
    EXPECT_THAT(cloud.calls, ElementsAre());
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

TEST_F(Reconciling, a_minute_sees_no_more_calls_than_the_quota) {
    for (int i = 0; i < 40; ++i)
        api.put(valkey_connections("shop", "c" + std::to_string(i)), connection());
    ASSERT_TRUE(reaches([&] { return cloud.calls.size() == 54; }));
    settle();
    EXPECT_EQ(cloud.calls.size(), 54u) << "27 of 40 instances with their CA";
    int pending = 0;
    for (int i = 0; i < 40; ++i) {
        const auto written = read_connection_status(api.stored(valkey_connections("shop", "c" + std::to_string(i))));
        const auto* ready = find_condition(written.conditions, "Ready");
        ASSERT_NE(ready, nullptr);
        pending += ready->status == ConditionStatus::unknown ? 1 : 0;
    }
    EXPECT_EQ(pending, 13);
}

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
        store.apply({WatchDelta::Kind::list_started, nullptr});
        const auto object = api.stored(path);
        if (object.is_object()) store.apply({WatchDelta::Kind::listed, std::make_shared<json>(object)});
        store.apply({WatchDelta::Kind::list_complete, nullptr});
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
    FakeCloud cloud;
    FakePlace place;
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
