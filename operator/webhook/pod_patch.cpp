#include "operator/webhook/pod_patch.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/webhook/application.hpp"
#include "operator/webhook/merge.hpp"
#include "operator/webhook/patch.hpp"
#include "operator/webhook/sidecar.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr const char* kInitContainers = "/spec/initContainers";

/// Where the sidecar stands among the other init containers: after a mesh's proxy, because its traffic may have to go
/// through it; else first of all, because others may use the connection, and they start in order.
std::size_t find_position(const json& init_containers) {
    std::size_t position = 0;
    std::size_t others = 0;
    for (const auto& container : init_containers) {
        const auto& name = find_string(container, {"name"});
        if (name == names::kSidecar) continue;
        ++others;
        if (name == "istio-proxy" || name == "linkerd-proxy") position = others;
    }
    return position;
}

/// Mounts the sockets' directory in a container.
/// @return whether it is there; not if something else of the user's is
bool mount_sockets(Patch& patch, const std::string& pointer, const json& container) {
    for (const auto& mount : find_array(container, {"volumeMounts"})) {
        auto path = find_string(mount, {"mountPath"});
        while (path.ends_with('/'))
            path.pop_back();
        if (path == names::kSocketDir) return find_string(mount, {"name"}) == names::kSocketVolume;
    }
    patch.append(pointer + "/volumeMounts", build_socket_mount());
    return true;
}

/// Sets the variables whose names are free. They stand first, so that others may refer to them: $(VALKEY_X_URL).
void set_variables(Patch& patch, const std::string& pointer, const json& container,
                   const std::vector<ApplicationVariable>& variables, bool has_socket) {
    std::vector<json> missing;
    for (const auto& variable : variables) {
        if (variable.needs_socket && !has_socket) continue;
        if (index_of_named(find_array(container, {"env"}), variable.name) >= 0) continue;
        missing.push_back({{"name", variable.name}, {"value", variable.value}});
    }
    if (!missing.empty()) patch.prepend(pointer + "/env", std::move(missing));
}

/// Gives the other containers what they need: all of them the sockets, those that start after the sidecar the
/// variables.
void equip_others(Patch& patch, const Inject& inject) {
    const auto variables = build_variables(inject);
    for (const auto* list : {"initContainers", "containers"}) {
        // It stays as it is while members of its elements change.
        const auto& containers = find_array(patch.document(), {"spec", list});
        const auto sidecar = index_of_named(containers, names::kSidecar);  // -1 in containers: all start after it
        for (std::size_t i = 0; i < containers.size(); ++i) {
            if (!containers[i].is_object() || static_cast<std::ptrdiff_t>(i) == sidecar) continue;
            const auto pointer = std::string("/spec/") + list + "/" + std::to_string(i);
            const bool has_socket = inject.has_socket && mount_sockets(patch, pointer, containers[i]);
            if (static_cast<std::ptrdiff_t>(i) > sidecar)
                set_variables(patch, pointer, containers[i], variables, has_socket);
        }
    }
}

}  // namespace

json build_pod_patch(const json& pod, const Inject& inject, const InjectionConfig& config) {
    auto sidecar = build_sidecar(pod, inject, config);
    const auto& init_containers = find_array(pod, {"spec", "initContainers"});
    if (const auto declared = index_of_named(init_containers, names::kSidecar); declared >= 0)
        sidecar = merge_sidecar(std::move(sidecar), init_containers[static_cast<std::size_t>(declared)]);

    Patch patch(pod);
    patch.set("/metadata/labels", names::kInjectedLabel, "true");
    patch.set("/metadata/annotations", names::kStatusAnnotation,
              build_status(inject, find_string(sidecar, {"image"}), config));
    patch.place(kInitContainers, std::move(sidecar), find_position(init_containers));
    equip_others(patch, inject);
    for (auto& volume : build_volumes(inject))
        patch.put("/spec/volumes", std::move(volume));
    for (const auto& secret : config.image_pull_secrets)
        patch.put("/spec/imagePullSecrets", {{"name", secret}});
    return patch.operations();
}

}  // namespace cvp::op
