#include "operator/reconcile/pod_counter.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/allocated_bytes.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = WatchDelta::Kind;

const ObjectKey kSessions{"shop", "sessions"};
const ObjectKey kOrders{"shop", "orders"};

json make_pod(int number, bool is_ready, const std::string& version = "1.4.0",
              const std::vector<std::string>& connections = {"sessions"}) {
    json stamp{{"version", version}, {"connections", json::array()}};
    for (const auto& name : connections)
        stamp["connections"].push_back({{"name", name}, {"port", 6379}});
    char uid[40];
    std::snprintf(uid, sizeof uid, "00000000-0000-4000-8000-%012d", number);
    json sidecar{{"name", "cloud-valkey-proxy"}, {"ready", is_ready}};
    return {{"metadata",
             {{"namespace", "shop"},
              {"name", "pod-" + std::to_string(number)},
              {"uid", uid},
              {"creationTimestamp", "2026-11-20T11:00:00Z"},
              {"annotations", {{"cloudvalkey.dev/status", stamp.dump()}}}}},
            {"status", {{"phase", "Running"}, {"initContainerStatuses", json::array({std::move(sidecar)})}}}};
}

json& sidecar_of(json& pod) {
    return pod["status"]["initContainerStatuses"][0];
}

class Counting : public testing::Test {
protected:
    std::set<ObjectKey> step(Kind kind, const json& pod = nullptr, std::uint8_t source = 0) {
        return counter.apply({kind, pod.is_null() ? nullptr : std::make_shared<json>(pod)}, source);
    }
    void list(const std::vector<json>& pods) {
        step(Kind::list_started);
        for (const auto& pod : pods)
            step(Kind::listed, pod);
        step(Kind::list_complete);
    }
    PodStatus of(const ObjectKey& connection) const { return counter.find(connection).value_or(PodStatus()); }

    PodCounter counter;
};

TEST_F(Counting, counts_pods_and_ready_sidecars_by_version) {
    list({make_pod(1, true), make_pod(2, true), make_pod(3, false, "1.3.2"), make_pod(4, true, "1.3.2", {"orders"})});
    EXPECT_EQ(of(kSessions).total, 3);
    EXPECT_EQ(of(kSessions).summary(), "2/3");
    EXPECT_EQ(of(kSessions).versions, "1.4.0:2 1.3.2:1");
    EXPECT_EQ(of(kOrders).summary(), "1/1");
    EXPECT_EQ(of({"other", "sessions"}).summary(), "0/0") << "another namespace's connection of that name";
}

TEST_F(Counting, nothing_is_said_before_every_list_is_complete) {
    step(Kind::list_started);
    step(Kind::list_started, nullptr, 1);
    step(Kind::listed, make_pod(1, true));
    EXPECT_FALSE(counter.find(kSessions));
    EXPECT_THAT(step(Kind::list_complete), ElementsAre(kSessions));
    EXPECT_FALSE(counter.find(kSessions)) << "the other watch's list is not complete";
    step(Kind::list_complete, nullptr, 1);
    EXPECT_EQ(of(kSessions).summary(), "1/1");
}

TEST_F(Counting, follows_changes_and_tells_whose_they_are) {
    list({make_pod(1, false)});
    EXPECT_THAT(step(Kind::applied, make_pod(1, false)), IsEmpty()) << "nothing that we count";
    EXPECT_THAT(step(Kind::applied, make_pod(1, true)), ElementsAre(kSessions));
    EXPECT_EQ(of(kSessions).summary(), "1/1");
    EXPECT_THAT(step(Kind::applied, make_pod(2, true, "1.4.0", {"orders", "sessions"})),
                ElementsAre(kOrders, kSessions));
    EXPECT_EQ(of(kSessions).summary(), "2/2");
    EXPECT_THAT(step(Kind::deleted, make_pod(1, true)), ElementsAre(kSessions));
    EXPECT_EQ(of(kSessions).summary(), "1/1");
    EXPECT_EQ(of(kOrders).summary(), "1/1");
    EXPECT_EQ(counter.size(), 1U);
}

TEST_F(Counting, what_a_new_list_does_not_tell_is_gone) {
    list({make_pod(1, true), make_pod(2, true)});
    step(Kind::list_started, nullptr, 1);
    step(Kind::listed, make_pod(9, true), 1);
    step(Kind::list_complete, nullptr, 1);
    list({make_pod(2, true)});
    EXPECT_EQ(of(kSessions).summary(), "2/2") << "one of this watch, one of the other";
}

TEST_F(Counting, finished_pods_do_not_count) {
    auto finished = make_pod(1, false);
    for (const auto* phase : {"Succeeded", "Failed"}) {
        list({make_pod(1, true)});
        finished["status"]["phase"] = phase;
        EXPECT_THAT(step(Kind::applied, finished), ElementsAre(kSessions)) << phase;
        EXPECT_EQ(of(kSessions), PodStatus()) << phase;
    }
    list({finished});
    EXPECT_EQ(counter.size(), 0U);
}

TEST_F(Counting, the_latest_failure_is_kept_while_there_are_pods) {
    auto killed = make_pod(1, true);
    sidecar_of(killed)["lastState"]["terminated"] = {
        {"exitCode", 137}, {"reason", "OOMKilled"}, {"finishedAt", "2026-11-20T12:00:05Z"}};
    auto earlier = make_pod(2, true);
    sidecar_of(earlier)["lastState"]["terminated"] = {
        {"exitCode", 1}, {"reason", "Error"}, {"finishedAt", "2026-11-20T12:00:00Z"}};
    auto ended = make_pod(3, true);
    sidecar_of(ended)["lastState"]["terminated"] = {
        {"exitCode", 0}, {"reason", "Completed"}, {"finishedAt", "2026-11-20T13:00:00Z"}};
    list({killed, earlier, ended});
    const PodFailure expected{"pod-1", "OOMKilled", "2026-11-20T12:00:05Z"};
    EXPECT_EQ(of(kSessions).last_failure, expected);
    step(Kind::deleted, killed);
    EXPECT_EQ(of(kSessions).last_failure, expected) << "its pod is gone, the news is not";
    list({});
    EXPECT_EQ(of(kSessions), PodStatus());
}

TEST_F(Counting, an_image_that_cannot_be_pulled_is_a_failure_and_a_start_is_none) {
    auto starting = make_pod(1, false);
    sidecar_of(starting)["state"]["waiting"] = {{"reason", "PodInitializing"}};
    list({starting});
    EXPECT_EQ(of(kSessions).last_failure, PodFailure());
    sidecar_of(starting)["state"]["waiting"]["reason"] = "ImagePullBackOff";
    EXPECT_THAT(step(Kind::applied, starting), ElementsAre(kSessions));
    EXPECT_EQ(of(kSessions).last_failure, (PodFailure{"pod-1", "ImagePullBackOff", "2026-11-20T11:00:00Z"}));
}

TEST_F(Counting, keeps_about_a_hundred_bytes_of_each_pod) {
    constexpr std::size_t kPods = 2'000;
    const auto before = test::allocated_bytes();
    step(Kind::list_started);
    for (std::size_t i = 0; i < kPods; ++i)
        step(Kind::listed, make_pod(static_cast<int>(i), true));
    step(Kind::list_complete);
    EXPECT_EQ(of(kSessions).total, 2'000);
    EXPECT_LE(test::allocated_bytes() - before, 110 * kPods);
}

TEST_F(Counting, a_pod_with_an_odd_annotation_does_no_harm) {
    for (const auto* text : {"", "{", "[]", R"({"connections":7})", R"({"connections":[{"name":"A B"},{}]})"}) {
        auto odd = make_pod(1, true);
        odd["metadata"]["annotations"]["cloudvalkey.dev/status"] = text;
        list({odd});
        EXPECT_EQ(of(kSessions).summary(), "0/0") << text;
    }
    list({json::object(), make_pod(2, true)});
    EXPECT_EQ(of(kSessions).summary(), "1/1");
}

}  // namespace
}  // namespace cvp::op
