// The reconciler on a real API server, with the rights that the chart gives it in one namespace. The cloud is scripted.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "operator/reconcile/connection_controller.hpp"
#include "tests/kubernetes/operator_account.hpp"
#include "tests/kubernetes/real_client.hpp"
#include "tests/support/fake_cloud.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

const std::string kFullName = "projects/my-project/locations/us-central1/instances/my-valkey";
constexpr auto kCrd = "crds/cloudvalkey.dev_valkeyconnections.yaml";
/// What DESIGN.md promises for a ConfigMap that somebody edited or deleted.
constexpr auto kRestoreLimit = 2s;

class RealReconcile : public RealClientTest {
protected:
    RealReconcile() : RealClientTest("reconcile") {
        const auto config = install_operator_account({"--set", "watchNamespaces={" + name_space_ + "}"});
        operator_api_ = connect(config);
        cloud_.answer("/v1/" + kFullName, 200, iam_instance());
        cloud_.answer("/v1/" + kFullName + "/certificateAuthority", 200, ca_answer(ca_.pem()));
        start();
    }
    ~RealReconcile() override {
        stop();
        operator_api_->close();
        (void)control_plane().kubectl({"delete", "clusterrole,clusterrolebinding", "cloud-valkey-operator"});
    }

    void start() {
        controller_ = std::make_unique<op::ConnectionController>(*operator_api_, cloud_, place_,
                                                                 std::vector<std::string>{name_space_});
        controller_->watch(tasks_);
        controller_->reconcile(tasks_);
    }
    void stop() {
        controller_->stop();
        EXPECT_TRUE(run(io_, tasks_.join(SteadyClock::now() + 10s)));
    }

    auto create_if_served(const std::string& name = "sessions") {
        const json object{{"apiVersion", "cloudvalkey.dev/v1alpha1"},
                          {"kind", "ValkeyConnection"},
                          {"metadata", {{"name", name}, {"namespace", name_space_}}},
                          {"spec", {{"instance", {{"memorystoreValkey", {{"name", kFullName}}}}}}}};
        return call(api_->create(op::valkey_connections(name_space_), object));
    }
    void create(const std::string& name = "sessions") {
        const auto created = create_if_served(name);
        ASSERT_TRUE(created) << created.error().error.context;
    }
    json connection(const std::string& name = "sessions") {
        return call(api_->get(op::valkey_connections(name_space_, name))).value_or(json());
    }
    json config_map_of(const std::string& name = "sessions") {
        return call(api_->get(op::config_maps(name_space_, "cloudvalkey-" + name))).value_or(json());
    }
    std::string condition(std::string_view type) {
        const auto status = op::read_connection_status(connection());
        const auto* found = op::find_condition(status.conditions, type);
        return found == nullptr ? "" : std::string(to_string(found->status)) + "/" + found->reason;
    }
    /// Looks again and again, each time letting the loop turn.
    template <class Condition>
    bool reaches(Condition condition, SteadyClock::duration limit = 20s) {
        const auto deadline = SteadyClock::now() + limit;
        while (!condition()) {
            if (SteadyClock::now() > deadline) return false;
            run_until(
                io_, [] { return false; }, 20ms);
        }
        return true;
    }
    void create_and_wait() {
        create();
        ASSERT_TRUE(reaches([&] { return condition("Ready") == "True/Resolved"; })) << connection().dump(2);
        run_until(
            io_, [] { return false; }, 300ms);
    }
    std::string kubectl(std::vector<std::string> arguments) {
        arguments.push_back("--namespace=" + name_space_);
        const auto printed = control_plane().kubectl(arguments);
        EXPECT_TRUE(printed) << printed.error().context;
        return printed.value_or("");
    }
    static std::string version_of(const json& object) { return object["metadata"]["resourceVersion"]; }

    const TestCa ca_{"the instance's CA"};
    FakeCloud cloud_;
    FakePlace place_;
    std::unique_ptr<op::KubeClient> operator_api_;
    TaskGroup tasks_{io_};
    std::unique_ptr<op::ConnectionController> controller_;
};

TEST_F(RealReconcile, writes_config_map_and_status_with_the_charts_rights) {
    create_and_wait();
    const auto parsed = parse_resolved_connection(config_map_of()["data"]["connection.yaml"].get<std::string>());
    EXPECT_EQ(describe_faults("connection.yaml", parsed.faults), "");
    EXPECT_EQ(parsed.connection.endpoints.at(0).host, "10.128.0.8");
    EXPECT_EQ(parsed.connection.tls.ca, ca_.pem());
    EXPECT_EQ(config_map_of()["metadata"]["ownerReferences"][0]["uid"], connection()["metadata"]["uid"]);

    const auto status = op::read_connection_status(connection());
    EXPECT_EQ(status.observed_generation, 1);
    EXPECT_EQ(status.conditions.size(), 4U);
    EXPECT_EQ(status.resolved.endpoint, "10.128.0.8:6379");
    EXPECT_NE(status.ca_expires_at, "");
    EXPECT_NE(status.last_refresh_time, "");
    EXPECT_THAT(kubectl({"get", "vkc", "sessions", "--no-headers"}), HasSubstr("True"));
    EXPECT_EQ(cloud_.calls.size(), 2U);
}

TEST_F(RealReconcile, tells_of_changes_by_events) {
    create_and_wait();
    // Two of the same, so that the second is counted in the first.
    for (const auto* value : {"one", "two"}) {
        cloud_.answer("/v1/" + kFullName, 403, json::object());
        kubectl({"annotate", "--overwrite", "vkc", "sessions", std::string("cloudvalkey.dev/refresh=bad-") + value});
        ASSERT_TRUE(reaches([&] { return condition("Ready") == "True/PermissionDenied"; }));
        cloud_.answer("/v1/" + kFullName, 200, iam_instance());
        kubectl({"annotate", "--overwrite", "vkc", "sessions", std::string("cloudvalkey.dev/refresh=good-") + value});
        ASSERT_TRUE(reaches([&] { return condition("Ready") == "True/Resolved"; }));
    }
    ASSERT_TRUE(reaches([&] { return controller_->events().counters().written == 5; }));
    EXPECT_EQ(controller_->events().counters().failed, 0U);
    const auto events = json::parse(kubectl({"get", "events.events.k8s.io", "--output=json"})).at("items");
    std::map<std::string, json> by_reason;
    for (const auto& event : events) {
        if (event["reportingController"] == "cloud-valkey-operator")
            by_reason[event["type"].get<std::string>() + " " + event["reason"].get<std::string>()] = event;
    }
    ASSERT_EQ(by_reason.size(), 2U) << events.dump(2);
    EXPECT_EQ(by_reason["Normal Resolved"]["series"]["count"], 3);
    EXPECT_EQ(by_reason["Warning PermissionDenied"]["series"]["count"], 2);
    EXPECT_THAT(by_reason["Warning PermissionDenied"]["note"], HasSubstr("roles/memorystore.viewer"));
    EXPECT_EQ(by_reason["Normal Resolved"]["regarding"]["uid"], connection()["metadata"]["uid"]);
    EXPECT_THAT(kubectl({"describe", "vkc", "sessions"}), HasSubstr("PermissionDenied")) << "kubectl shows them";
}

TEST_F(RealReconcile, restores_what_was_edited_or_deleted) {
    create_and_wait();
    const auto original = config_map_of()["data"];
    const auto is_restored = [&] {
        const auto live = config_map_of();
        return live.is_object() && live["data"] == original;
    };

    kubectl(
        {"patch", "configmap", "cloudvalkey-sessions", "--type=merge", R"(--patch={"data":{"connection.yaml":"x"}})"});
    EXPECT_TRUE(reaches(is_restored, kRestoreLimit));
    kubectl({"delete", "configmap", "cloudvalkey-sessions", "--wait=false"});
    EXPECT_TRUE(reaches(is_restored, kRestoreLimit));
    kubectl({"label", "configmap", "cloudvalkey-sessions", "app.kubernetes.io/managed-by-"});
    EXPECT_TRUE(reaches([&] { return config_map_of().at("metadata").contains("labels"); }, kRestoreLimit));
    EXPECT_EQ(cloud_.calls.size(), 2U);
    EXPECT_EQ(condition("Ready"), "True/Resolved");
}

TEST_F(RealReconcile, a_restart_writes_nothing_and_asks_nothing) {
    create_and_wait();
    const auto before = std::pair(version_of(config_map_of()), version_of(connection()));
    stop();
    cloud_.calls.clear();
    start();
    EXPECT_FALSE(reaches([&] { return !cloud_.calls.empty(); }, 2s));
    EXPECT_EQ(std::pair(version_of(config_map_of()), version_of(connection())), before);
    EXPECT_EQ(controller_->reconciler().counters().status_writes, 0U);
}

TEST_F(RealReconcile, follows_a_moved_instance_when_asked_to_refresh) {
    create_and_wait();
    const auto before = version_of(config_map_of());
    kubectl({"annotate", "vkc", "sessions", "cloudvalkey.dev/refresh=one"});
    ASSERT_TRUE(reaches([&] { return op::read_connection_status(connection()).last_handled_refresh == "one"; }));
    EXPECT_EQ(version_of(config_map_of()), before) << "nothing new: nothing rewritten";

    cloud_.answer("/v1/" + kFullName, 200, iam_instance("10.200.0.1"));
    kubectl({"annotate", "--overwrite", "vkc", "sessions", "cloudvalkey.dev/refresh=two"});
    EXPECT_TRUE(reaches([&] {
        return config_map_of()["data"]["connection.yaml"].get<std::string>().find("10.200.0.1") != std::string::npos;
    }));
}

TEST_F(RealReconcile, leaves_a_foreign_config_map_alone_and_says_so) {
    kubectl({"create", "configmap", "cloudvalkey-sessions", "--from-literal=a=b"});
    const auto foreign = config_map_of();
    create();
    EXPECT_TRUE(reaches([&] { return condition("Ready") == "False/NameConflict"; })) << connection().dump(2);
    EXPECT_EQ(condition("Stalled"), "True/NameConflict");
    EXPECT_EQ(config_map_of(), foreign);
}

TEST_F(RealReconcile, the_config_map_goes_with_its_connection) {
    create_and_wait();
    kubectl({"delete", "vkc", "sessions", "--wait=false"});
    EXPECT_TRUE(reaches([&] { return config_map_of().is_null(); }, 40s)) << "garbage collection";
    EXPECT_FALSE(reaches([&] { return config_map_of().is_object(); }, 1s)) << "and it stays away";
}

TEST_F(RealReconcile, the_crd_may_go_and_come_back_while_we_watch) {
    create_and_wait();
    kubectl({"delete", "crd", "valkeyconnections.cloudvalkey.dev"});
    EXPECT_TRUE(reaches([&] { return config_map_of().is_null(); })) << "garbage collection";
    EXPECT_FALSE(reaches([&] { return config_map_of().is_object(); }, 1s)) << "and it stays away";
    ASSERT_TRUE(control_plane().kubectl({"create", "--filename=-"}, read_source(kCrd)));
    kubectl({"wait", "crd/valkeyconnections.cloudvalkey.dev", "--for=condition=Established", "--timeout=20s"});
    ASSERT_TRUE(reaches([&] {
        create_if_served();
        return connection().is_object();
    })) << "the API is served again";
    EXPECT_TRUE(reaches([&] { return condition("Ready") == "True/Resolved"; }, 60s)) << connection().dump(2);
    EXPECT_TRUE(config_map_of().is_object());
    EXPECT_EQ(controller_->controller().counters().terminal_error, 0U);
}

TEST_F(RealReconcile, a_failure_and_its_remedy_are_in_the_status) {
    cloud_.answer("/v1/" + kFullName, 403, json::object());
    create();
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/PermissionDenied"; })) << connection().dump(2);
    EXPECT_EQ(condition("Reconciling"), "True/PermissionDenied");
    EXPECT_TRUE(config_map_of().is_null());
    EXPECT_THAT(kubectl({"get", "vkc", "sessions", "-o", "yaml"}), HasSubstr("roles/memorystore.viewer"));
}

TEST_F(RealReconcile, a_namespace_that_is_being_deleted_ends_in_silence) {
    create_and_wait();
    // A finalizer of somebody else keeps the namespace terminating while we look.
    auto holder = config_map("holder", "x");
    holder["metadata"]["finalizers"] = {"tests.example/hold"};
    ASSERT_TRUE(call(api_->create(op::config_maps(name_space_), holder)));
    kubectl({"delete", "namespace", name_space_, "--wait=false"});
    EXPECT_TRUE(reaches([&] { return config_map_of().is_null() && connection().is_null(); }, 40s));
    EXPECT_FALSE(reaches([&] { return config_map_of().is_object(); }, 1s));
    kubectl(
        {"patch", "configmap", "holder", "--type=json", R"(--patch=[{"op":"remove","path":"/metadata/finalizers"}])"});
}

}  // namespace
}  // namespace cvp::test
