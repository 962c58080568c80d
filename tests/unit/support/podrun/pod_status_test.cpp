#include "tests/support/podrun/pod_status.hpp"

#include <gtest/gtest.h>

namespace cvp::test::podrun {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

const WallTime kNoon = std::chrono::system_clock::from_time_t(1795176000);

class PodStatus : public testing::Test {
protected:
    PodStatus() {
        pod.sidecar.name = "cloud-valkey-proxy";
        pod.sidecar.image = "proxy:1";
        state.seen_at = kNoon;
        state.changed_at = kNoon + 3s;
    }

    Json status() { return build_status(pod, "app", state)["status"]; }
    Json sidecar() { return status()["initContainerStatuses"][0]; }
    std::string ready() {
        const auto current = status();
        for (const auto& condition : current["conditions"]) {
            if (condition["type"] == "Ready") return condition["status"];
        }
        return "absent";
    }

    PodSpec pod;
    PodState state;
};

TEST_F(PodStatus, waits_before_the_sidecar_runs_and_says_why) {
    state.sidecar.waiting_reason = "ContainerCreating";
    state.sidecar.waiting_message = "configmap \"shop/x\" not found";
    EXPECT_EQ(status()["phase"], "Pending");
    EXPECT_EQ(sidecar()["state"]["waiting"],
              (Json{{"reason", "ContainerCreating"}, {"message", "configmap \"shop/x\" not found"}}));
    EXPECT_EQ(sidecar()["ready"], false);
    EXPECT_EQ(ready(), "False");
    EXPECT_EQ(status()["startTime"], "2026-11-20T12:00:00Z");
    EXPECT_EQ(status()["podIP"], "127.0.0.1");
}

TEST_F(PodStatus, is_ready_once_the_startup_probe_succeeded) {
    state.sidecar.is_running = true;
    state.sidecar.started_at = kNoon + 1s;
    EXPECT_EQ(status()["phase"], "Running");
    EXPECT_EQ(sidecar()["started"], false);
    EXPECT_EQ(sidecar()["state"]["running"]["startedAt"], "2026-11-20T12:00:01Z");
    EXPECT_EQ(ready(), "False");
    state.sidecar.is_started = true;
    EXPECT_EQ(sidecar()["started"], true);
    EXPECT_EQ(sidecar()["ready"], true);
    EXPECT_EQ(sidecar()["restartCount"], 0);
    EXPECT_EQ(ready(), "True");
}

TEST_F(PodStatus, tells_how_the_last_run_ended) {
    state.sidecar.restarts = 2;
    state.sidecar.last_exit = Exit{139, kNoon, kNoon + 1s};
    state.sidecar.waiting_reason = "CrashLoopBackOff";
    EXPECT_EQ(status()["phase"], "Running");
    EXPECT_EQ(sidecar()["restartCount"], 2);
    EXPECT_EQ(sidecar()["lastState"]["terminated"]["exitCode"], 139);
    EXPECT_EQ(sidecar()["lastState"]["terminated"]["reason"], "Error");
    EXPECT_EQ(sidecar()["state"]["waiting"]["reason"], "CrashLoopBackOff");
}

TEST_F(PodStatus, shows_the_application_only_where_it_is_run) {
    EXPECT_FALSE(status().contains("containerStatuses"));
    state.sidecar.is_running = state.sidecar.is_started = true;
    state.app.emplace();
    state.app->is_running = state.app->is_started = true;
    EXPECT_EQ(status()["containerStatuses"][0]["name"], "app");
    EXPECT_EQ(ready(), "True");
    state.app->is_running = false;
    state.app->last_exit = Exit{0, kNoon, kNoon};
    EXPECT_EQ(status()["phase"], "Succeeded");
    EXPECT_EQ(status()["containerStatuses"][0]["state"]["terminated"]["exitCode"], 0);
    state.app->last_exit->code = 3;
    EXPECT_EQ(status()["phase"], "Failed");
}

}  // namespace
}  // namespace cvp::test::podrun
