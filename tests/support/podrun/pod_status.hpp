#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/podrun/pod_spec.hpp"

namespace cvp::test::podrun {

using WallTime = std::chrono::system_clock::time_point;

/// How a process ended.
struct Exit {
    int code = 0;
    WallTime started_at;
    WallTime ended_at;
};

/// Where a container is in its life.
struct ContainerState {
    bool is_running = false;
    bool is_started = false;  ///< its startup probe succeeded (or it has none)
    int restarts = 0;
    WallTime started_at;
    std::optional<Exit> last_exit;
    std::string waiting_reason = "PodInitializing";  ///< while it does not run: also CrashLoopBackOff
    std::string waiting_message;
};

/// The pod as podrun sees it.
struct PodState {
    WallTime seen_at;
    WallTime changed_at;  ///< of readiness, for the conditions
    ContainerState sidecar;
    /// The command that runs in the place of the first application container, if there is one.
    std::optional<ContainerState> app;
};

/// "2026-11-20T12:00:00Z".
std::string rfc3339(WallTime time);

/// Builds what the kubelet writes to pods/status, as a patch: {"status": {…}}.
nlohmann::json build_status(const PodSpec& pod, const std::string& app_name, const PodState& state);

}  // namespace cvp::test::podrun
