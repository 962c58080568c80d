#include "operator/cluster_objects.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/async/task_group.hpp"
#include "tests/support/async.hpp"
#include "tests/support/fake_kube_api.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const auto kNamespace = namespaces("cloud-valkey");
const auto kWebhook = mutating_webhook_configurations("cloud-valkey-operator");
const auto kGuard = validating_admission_policies("cloudvalkey-guard");
const auto kGuardBinding = validating_admission_policy_bindings("cloudvalkey-guard");

class ClusterObjectsTest : public testing::Test {
protected:
    ClusterObjectsTest() { api.put(kNamespace, json::object()); }
    ~ClusterObjectsTest() override {
        objects.stop();
        EXPECT_TRUE(test::run(io, tasks.join(SteadyClock::now() + 5s))) << "stop() must end run()";
    }

    void start() { tasks.spawn("cluster objects", objects.run()); }
    json owners_of(const ResourcePath& path) {
        return api.stored(path)["metadata"].value("ownerReferences", json::array());
    }
    /// Runs until everything was looked at once more.
    bool looks_again() {
        const auto looks = [this] {
            return std::count_if(api.calls().begin(), api.calls().end(),
                                 [](const auto& call) { return call.path == kNamespace; });
        };
        const auto before = looks();
        return test::run_until(io, [&] { return looks() >= before + 2; });
    }
    template <class Condition>
    bool reaches(Condition condition) {
        return test::run_until(io, std::move(condition));
    }

    asio::io_context io{1};
    test::FakeKubeApi api;
    ClusterObjects objects{api, "cloud-valkey", 20ms};
    TaskGroup tasks{io};
};

TEST_F(ClusterObjectsTest, ties_what_exists_to_the_namespace_and_makes_nothing) {
    api.put(kWebhook, json::object());
    api.put(kGuardBinding, json::object());
    start();
    ASSERT_TRUE(reaches([&] { return !owners_of(kWebhook).empty() && !owners_of(kGuardBinding).empty(); }));
    ASSERT_TRUE(looks_again());

    const auto uid = api.stored(kNamespace)["metadata"]["uid"];
    const auto owner =
        json::array({{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"name", "cloud-valkey"}, {"uid", uid}}});
    EXPECT_EQ(owners_of(kWebhook), owner);
    EXPECT_EQ(owners_of(kGuardBinding), owner);
    EXPECT_TRUE(api.stored(kGuard).is_null());
    EXPECT_EQ(api.count("apply"), 2U) << "what is tied is not written again";
    EXPECT_EQ(api.count("create"), 0U);
    for (const auto& call : api.calls()) {
        if (call.verb != "apply") continue;
        EXPECT_EQ(call.field_manager, "cloud-valkey-operator-owner");
        EXPECT_EQ(call.body["metadata"].value("uid", ""), api.stored(call.path)["metadata"]["uid"])
            << "it could create one";
        EXPECT_FALSE(call.body.contains("spec") || call.body.contains("webhooks"));
    }
}

TEST_F(ClusterObjectsTest, ties_again_what_was_replaced) {
    api.put(kGuard, json::object());
    start();
    ASSERT_TRUE(reaches([&] { return !owners_of(kGuard).empty(); }));
    api.erase(kGuard);
    api.put(kGuard, json::object());
    EXPECT_TRUE(reaches([&] { return !owners_of(kGuard).empty(); }));
    api.put(kGuard, json::object());
    EXPECT_TRUE(reaches([&] { return !owners_of(kGuard).empty(); })) << "the reference alone was taken away";
}

TEST_F(ClusterObjectsTest, does_the_others_where_one_fails_and_comes_back_to_it) {
    api.put(kWebhook, json::object());
    api.put(kGuard, json::object());
    api.fail_next("apply", ErrorCode::permission_denied, "Forbidden");
    start();
    ASSERT_TRUE(reaches([&] { return !owners_of(kGuard).empty(); }));
    EXPECT_TRUE(owners_of(kWebhook).empty());
    EXPECT_TRUE(reaches([&] { return !owners_of(kWebhook).empty(); }));
}

TEST_F(ClusterObjectsTest, waits_for_an_api_server_that_is_not_there) {
    api.put(kWebhook, json::object());
    api.fail_next("get", ErrorCode::unavailable);
    start();
    EXPECT_TRUE(reaches([&] { return !owners_of(kWebhook).empty(); }));
}

TEST_F(ClusterObjectsTest, deletes_them_while_the_namespace_is_being_deleted) {
    api.put(kWebhook, json::object());
    api.put(kGuard, json::object());
    start();
    ASSERT_TRUE(reaches([&] { return !owners_of(kGuard).empty(); }));
    EXPECT_EQ(api.count("delete"), 0U);
    api.put(kNamespace, {{"metadata", {{"deletionTimestamp", "2026-11-20T12:00:00Z"}}}});
    EXPECT_TRUE(reaches([&] { return api.stored(kWebhook).is_null() && api.stored(kGuard).is_null(); }));
}

TEST_F(ClusterObjectsTest, looks_a_last_time_when_it_is_stopped) {
    ClusterObjects patient{api, "cloud-valkey", 1h};
    api.put(kWebhook, json::object());
    tasks.spawn("patient", patient.run());
    ASSERT_TRUE(reaches([&] { return !owners_of(kWebhook).empty(); }));
    api.put(kNamespace, {{"metadata", {{"deletionTimestamp", "2026-11-20T12:00:00Z"}}}});
    patient.stop();
    EXPECT_TRUE(reaches([&] { return tasks.running() == 0; }));
    EXPECT_TRUE(api.stored(kWebhook).is_null()) << "the namespace is why it was stopped";
}

TEST_F(ClusterObjectsTest, deletes_nothing_when_it_is_stopped_for_another_reason) {
    api.put(kWebhook, json::object());
    start();
    ASSERT_TRUE(reaches([&] { return !owners_of(kWebhook).empty(); }));
    objects.stop();
    EXPECT_TRUE(reaches([&] { return tasks.running() == 0; }));
    EXPECT_EQ(api.count("delete"), 0U);
}

TEST(PlanOwnership, leaves_an_object_that_the_namespace_owns) {
    const json owner = {{"metadata", {{"name", "n"}, {"uid", "u"}}}};
    json object = {{"metadata", {{"name", "o"}, {"uid", "x"}}}};
    const auto body = plan_ownership("MutatingWebhookConfiguration", object, owner);
    ASSERT_TRUE(body);
    EXPECT_EQ((*body)["kind"], "MutatingWebhookConfiguration");
    object["metadata"]["ownerReferences"] = (*body)["metadata"]["ownerReferences"];
    EXPECT_FALSE(plan_ownership("MutatingWebhookConfiguration", object, owner));
}

TEST(PlanOwnership, does_not_take_a_namespace_of_an_earlier_life_for_the_owner) {
    const json owner = {{"metadata", {{"name", "n"}, {"uid", "new"}}}};
    const json object = {
        {"metadata",
         {{"name", "o"},
          {"uid", "x"},
          {"ownerReferences", json::array({{{"kind", "Namespace"}, {"name", "n"}, {"uid", "old"}}})}}}};
    EXPECT_TRUE(plan_ownership("ValidatingAdmissionPolicy", object, owner));
}

}  // namespace
}  // namespace cvp::op
