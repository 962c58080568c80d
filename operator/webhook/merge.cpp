#include "operator/webhook/merge.hpp"

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/webhook/sidecar.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// Whether a path is one of the sidecar's own, or below one: nothing of the user's may stand there, above all not in
/// place of a connection.yaml.
bool is_our_path(const std::string& path) {
    // The kubelet takes a path without its first slash as one from the root.
    const auto normal = std::filesystem::path("/" + path).lexically_normal().generic_string() + "/";
    for (const auto root : {names::kMountRoot, names::kSocketDir, kTokenPath}) {
        if (normal.starts_with(std::string(root) + "/")) return true;
    }
    return false;
}

}  // namespace

json merge_sidecar(json ours, const json& declared) {
    if (const auto& image = find_string(declared, {"image"}); !image.empty() && image != names::kAutoImage)
        ours["image"] = image;
    if (const auto& policy = find_string(declared, {"imagePullPolicy"}); !policy.empty())
        ours["imagePullPolicy"] = policy;
    // The API server writes `resources: {}` where the user wrote none.
    if (const auto* resources = find_value(declared, {"resources"}); resources != nullptr && !resources->empty())
        ours["resources"] = *resources;

    const auto our_env = ours["env"];
    for (const auto& variable : find_array(declared, {"env"})) {
        if (index_of_named(our_env, find_string(variable, {"name"})) < 0) ours["env"].push_back(variable);
    }
    for (const auto& mount : find_array(declared, {"volumeMounts"})) {
        if (!is_our_path(find_string(mount, {"mountPath"}))) ours["volumeMounts"].push_back(mount);
    }
    return ours;
}

}  // namespace cvp::op
