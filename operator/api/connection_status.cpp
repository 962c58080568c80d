#include "operator/api/connection_status.hpp"

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

std::int64_t find_integer(const json& object, std::initializer_list<std::string_view> path) {
    const auto* value = find_value(object, path);
    return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

Condition read_condition(const json& object) {
    Condition condition;
    condition.type = find_string(object, {"type"});
    const auto& status = find_string(object, {"status"});
    for (const auto value : {ConditionStatus::true_, ConditionStatus::false_}) {
        if (status == to_string(value)) condition.status = value;
    }
    condition.reason = find_string(object, {"reason"});
    condition.message = find_string(object, {"message"});
    condition.observed_generation = find_integer(object, {"observedGeneration"});
    condition.last_transition_time = find_string(object, {"lastTransitionTime"});
    return condition;
}

json write_condition(const Condition& condition) {
    return {{"type", condition.type},
            {"status", to_string(condition.status)},
            {"reason", condition.reason},
            {"message", condition.message},
            {"observedGeneration", condition.observed_generation},
            {"lastTransitionTime", condition.last_transition_time}};
}

void put(json& object, const char* key, const std::string& value) {
    if (!value.empty()) object[key] = value;
}

json write_summary(const ResolvedSummary& resolved) {
    json object = json::object();
    put(object, "instance", resolved.instance);
    put(object, "endpoint", resolved.endpoint);
    if (!resolved.readers.empty()) object["readers"] = resolved.readers;
    put(object, "topology", resolved.topology);
    put(object, "tls", resolved.tls);
    put(object, "auth", resolved.auth);
    return object;
}

ResolvedSummary read_summary(const json& object) {
    ResolvedSummary resolved;
    resolved.instance = find_string(object, {"status", "resolved", "instance"});
    resolved.endpoint = find_string(object, {"status", "resolved", "endpoint"});
    for (const auto& reader : find_array(object, {"status", "resolved", "readers"})) {
        if (reader.is_string()) resolved.readers.push_back(reader.get<std::string>());
    }
    resolved.topology = find_string(object, {"status", "resolved", "topology"});
    resolved.tls = find_string(object, {"status", "resolved", "tls"});
    resolved.auth = find_string(object, {"status", "resolved", "auth"});
    return resolved;
}

}  // namespace

ConnectionStatus read_connection_status(const json& object) {
    ConnectionStatus status;
    status.observed_generation = find_integer(object, {"status", "observedGeneration"});
    for (const auto& condition : find_array(object, {"status", "conditions"})) {
        status.conditions.push_back(read_condition(condition));
    }
    status.resolved = read_summary(object);
    status.ca_expires_at = find_string(object, {"status", "caExpiresAt"});
    status.last_refresh_time = find_string(object, {"status", "lastRefreshTime"});
    status.last_handled_refresh = find_string(object, {"status", "lastHandledRefresh"});
    status.config_map = find_string(object, {"status", "configMap"});
    if (const auto* pods = find_value(object, {"status", "pods"})) status.pods = read_pod_status(*pods);
    return status;
}

json write_connection_status(const ConnectionStatus& status) {
    json object{{"observedGeneration", status.observed_generation}, {"conditions", json::array()}};
    for (const auto& condition : status.conditions)
        object["conditions"].push_back(write_condition(condition));
    if (auto summary = write_summary(status.resolved); !summary.empty()) object["resolved"] = std::move(summary);
    put(object, "caExpiresAt", status.ca_expires_at);
    put(object, "lastRefreshTime", status.last_refresh_time);
    put(object, "lastHandledRefresh", status.last_handled_refresh);
    put(object, "configMap", status.config_map);
    if (status.pods) object["pods"] = write_pod_status(*status.pods);
    return object;
}

}  // namespace cvp::op
