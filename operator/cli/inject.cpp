#include "operator/cli/inject.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/json_access.hpp"
#include "operator/cli/manifest.hpp"
#include "operator/webhook/injection.hpp"
#include "operator/webhook/pod_patch.hpp"
#include "operator/webhook/warnings.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

std::string title_of(const json& object) {
    const auto& name = find_string(object, {"metadata", "name"});
    return find_string(object, {"kind"}) + "/" +
           (name.empty() ? find_string(object, {"metadata", "generateName"}) + "*" : name);
}

void inject_object(json& object, const InjectionConfig& config, Injection& result) {
    const auto* place = pod_place(object);
    if (place == nullptr) return;
    auto pod = pod_of(object, place);
    const auto title = title_of(object);
    const auto decision = decide(pod);
    const auto* inject = std::get_if<Inject>(&decision);
    for (const auto& warning : collect_warnings(pod, inject))
        result.notes.push_back(title + ": warning: " + warning);
    if (const auto* refuse = std::get_if<Refuse>(&decision)) {
        result.is_refused = true;
        result.notes.push_back(fmt::format("{}: refused: {}: {}", title, refuse->reason, refuse->message));
    } else if (inject == nullptr) {
        result.notes.push_back(fmt::format("{}: untouched: {}", title, std::get<Untouched>(decision).reason));
    } else {
        const auto patch = build_pod_patch(pod, *inject, config);
        result.notes.push_back(title + (patch.empty() ? ": it has its sidecar already" : ": injected"));
        pod = pod.patch(patch);
        for (const auto* part : {"metadata", "spec"})
            object[json::json_pointer(std::string(place) + "/" + part)] = pod.at(part);
    }
}

}  // namespace

Result<Injection> inject_manifest(std::string_view manifest, const InjectionConfig& config) {
    auto objects = read_manifests(manifest);
    if (!objects) return fail(std::move(objects).error());
    Injection result;
    for (auto& object : *objects)
        inject_object(object, config, result);
    result.manifest = write_manifests(*objects);
    return result;
}

}  // namespace cvp::op
