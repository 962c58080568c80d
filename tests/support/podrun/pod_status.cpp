#include "tests/support/podrun/pod_status.hpp"

#include <ctime>

namespace cvp::test::podrun {
namespace {

using Json = nlohmann::json;

constexpr auto kAddress = "127.0.0.1";

Json exit_json(const Exit& exit) {
    return {{"terminated",
             {{"exitCode", exit.code},
              {"reason", exit.code == 0 ? "Completed" : "Error"},
              {"startedAt", rfc3339(exit.started_at)},
              {"finishedAt", rfc3339(exit.ended_at)}}}};
}

Json state_json(const ContainerState& state, bool restarts) {
    if (state.is_running) return {{"running", {{"startedAt", rfc3339(state.started_at)}}}};
    if (!restarts && state.last_exit) return exit_json(*state.last_exit);
    Json waiting = {{"reason", state.waiting_reason}};
    if (!state.waiting_message.empty()) waiting["message"] = state.waiting_message;
    return {{"waiting", std::move(waiting)}};
}

Json container_json(const std::string& name, const std::string& image, const ContainerState& state, bool restarts) {
    Json json = {{"name", name},
                 {"image", image},
                 {"imageID", ""},
                 {"ready", state.is_running && state.is_started},
                 {"started", state.is_started},
                 {"restartCount", state.restarts},
                 {"state", state_json(state, restarts)}};
    if (restarts && state.last_exit) json["lastState"] = exit_json(*state.last_exit);
    return json;
}

std::string phase_of(const PodState& state) {
    if (state.app && !state.app->is_running && state.app->last_exit) {
        return state.app->last_exit->code == 0 ? "Succeeded" : "Failed";
    }
    const bool has_run = state.sidecar.is_running || state.sidecar.last_exit;
    return has_run ? "Running" : "Pending";
}

Json condition(const char* type, bool holds, WallTime since) {
    return {{"type", type}, {"status", holds ? "True" : "False"}, {"lastTransitionTime", rfc3339(since)}};
}

}  // namespace

std::string rfc3339(WallTime time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

Json build_status(const PodSpec& pod, const std::string& app_name, const PodState& state) {
    const bool is_ready = state.sidecar.is_running && state.sidecar.is_started && (!state.app || state.app->is_running);
    Json status = {
        {"phase", phase_of(state)},
        {"hostIP", kAddress},
        {"podIP", kAddress},
        {"podIPs", Json::array({{{"ip", kAddress}}})},
        {"startTime", rfc3339(state.seen_at)},
        {"conditions", Json::array({condition("Initialized", state.sidecar.is_started, state.changed_at),
                                    condition("ContainersReady", is_ready, state.changed_at),
                                    condition("Ready", is_ready, state.changed_at)})},
        {"initContainerStatuses",
         Json::array({container_json(pod.sidecar.name, pod.sidecar.image, state.sidecar, /*restarts=*/true)})},
    };
    if (state.app) {
        status["containerStatuses"] = Json::array({container_json(app_name, "", *state.app, /*restarts=*/false)});
    }
    return {{"status", std::move(status)}};
}

}  // namespace cvp::test::podrun
