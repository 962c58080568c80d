#include "operator/webhook/resources.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/webhook/quantity.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

std::optional<long double> quantity_of(const json& container, std::string_view kind, std::string_view resource) {
    const auto* value = find_value(container, {"resources", kind, resource});
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) return value->get<double>();  // YAML's `cpu: 1`, before an API server has seen it
    return value->is_string() ? parse_quantity(value->get_ref<const std::string&>()) : std::nullopt;
}

/// Whether a container has a limit, and a request that equals it or is absent: the API server makes it equal then.
/// @source Kubernetes, pkg/apis/core/v1/helper/qos: zero counts as none
bool is_limited_to_its_request(const json& container, std::string_view resource) {
    const auto limit = quantity_of(container, "limits", resource);
    if (!limit || *limit <= 0) return false;
    const bool has_request = find_value(container, {"resources", "requests", resource}) != nullptr;
    return !has_request || quantity_of(container, "requests", resource) == limit;
}

bool is_guaranteed(const json& pod) {
    for (const auto* list : {"containers", "initContainers"}) {
        for (const auto& container : find_array(pod, {"spec", list})) {
            if (find_string(container, {"name"}) == names::kSidecar) continue;
            if (!is_limited_to_its_request(container, "cpu")) return false;
            if (!is_limited_to_its_request(container, "memory")) return false;
        }
    }
    return true;
}

bool has_pod_level_resources(const json& pod) {
    const auto is_given = [&](std::string_view kind) {
        const auto* amounts = find_value(pod, {"spec", "resources", kind});
        return amounts != nullptr && !amounts->empty();
    };
    return is_given("requests") || is_given("limits");
}

}  // namespace

json build_resources(const json& pod) {
    if (has_pod_level_resources(pod)) return json::object();
    if (is_guaranteed(pod)) {
        // More than below, because nothing can be borrowed: with 10m of CPU one TLS handshake would take half a second.
        const json amounts = {{"cpu", "100m"}, {"memory", "64Mi"}};
        return {{"requests", amounts}, {"limits", amounts}};
    }
    // What an idle proxy with a few clients needs: 6 MB resident and a hundredth of a core. No limits: a CPU limit adds
    // latency by throttling, and a memory limit would kill every connection of a pod with many clients, whose memory is
    // bounded by maxConnections already.
    return {{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}}};
}

}  // namespace cvp::op
