#include "operator/api/pod_status.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

std::int64_t find_count(const json& object, std::string_view key) {
    const auto* value = find_value(object, {key});
    return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

}  // namespace

std::string PodStatus::summary() const {
    return fmt::format("{}/{}", ready, total);
}

PodStatus read_pod_status(const json& pods) {
    PodStatus status;
    status.total = find_count(pods, "total");
    status.ready = find_count(pods, "ready");
    status.versions = find_string(pods, {"versions"});
    status.last_failure = {find_string(pods, {"lastFailure", "pod"}), find_string(pods, {"lastFailure", "reason"}),
                           find_string(pods, {"lastFailure", "time"})};
    return status;
}

json write_pod_status(const PodStatus& pods) {
    json object{{"total", pods.total}, {"ready", pods.ready}, {"summary", pods.summary()}};
    if (!pods.versions.empty()) object["versions"] = pods.versions;
    const auto& failure = pods.last_failure;
    if (!failure.reason.empty()) {
        object["lastFailure"] = {{"pod", failure.pod}, {"reason", failure.reason}, {"time", failure.time}};
    }
    return object;
}

}  // namespace cvp::op
