#include "operator/reconcile/config_map.hpp"

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/crypto/digest.hpp"
#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr std::string_view kManagedBy = "app.kubernetes.io/managed-by";
constexpr std::string_view kDigestAnnotation = "cloudvalkey.dev/digest";

bool is_controller(const json& owner) {
    const auto* controller = find_value(owner, {"controller"});
    return controller != nullptr && controller->is_boolean() && controller->get<bool>();
}

bool is_connection(const json& owner) {
    const std::string group = std::string(names::kApiGroup) + "/";
    return find_string(owner, {"kind"}) == names::kConnectionKind &&
           find_string(owner, {"apiVersion"}).starts_with(group);
}

}  // namespace

Ownership ownership_of(const json* config_map, const ValkeyConnection& connection) {
    if (config_map == nullptr) return Ownership::absent;
    for (const auto& owner : find_array(*config_map, {"metadata", "ownerReferences"})) {
        if (!is_controller(owner)) continue;
        if (!is_connection(owner) || find_string(owner, {"name"}) != connection.name) return Ownership::foreign;
        return find_string(owner, {"uid"}) == connection.uid ? Ownership::ours : Ownership::stale;
    }
    return Ownership::foreign;
}

json build_config_map(const ValkeyConnection& connection, const std::string& document) {
    // No blockOwnerDeletion: it would need a right on the connection's finalizers.
    json owner{{"apiVersion", names::kApiVersion},
               {"kind", names::kConnectionKind},
               {"name", connection.name},
               {"uid", connection.uid},
               {"controller", true}};
    json metadata{{"name", connection.config_map_name()},
                  {"namespace", connection.namespace_name},
                  {"labels", {{kManagedBy, names::kOperator}}},
                  {"annotations", {{kDigestAnnotation, crypto::sha256_hex(document)}}},
                  {"ownerReferences", json::array({std::move(owner)})}};
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", std::move(metadata)},
            {"data", {{names::kConnectionFile, document}}}};
}

void add_preconditions(json& desired, const json& live) {
    for (const auto* key : {"uid", "resourceVersion"}) {
        desired["metadata"][key] = find_string(live, {"metadata", key});
    }
}

bool is_up_to_date(const json& live, const json& desired) {
    const auto same = [&](std::initializer_list<std::string_view> path) {
        return find_string(live, path) == find_string(desired, path);
    };
    return same({"data", names::kConnectionFile}) && same({"metadata", "labels", kManagedBy}) &&
           same({"metadata", "annotations", kDigestAnnotation});
}

std::string unedited_document(const json& config_map) {
    const auto& document = find_string(config_map, {"data", names::kConnectionFile});
    const auto& digest = find_string(config_map, {"metadata", "annotations", kDigestAnnotation});
    return digest == crypto::sha256_hex(document) ? document : "";
}

std::optional<ObjectKey> connection_of_config_map(const ObjectKey& config_map) {
    if (!config_map.name.starts_with(names::kConfigMapPrefix)) return std::nullopt;
    return ObjectKey{config_map.namespace_name, config_map.name.substr(names::kConfigMapPrefix.size())};
}

}  // namespace cvp::op
