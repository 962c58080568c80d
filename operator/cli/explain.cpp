#include "operator/cli/explain.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/cli/manifest.hpp"
#include "operator/webhook/injection.hpp"
#include "operator/webhook/warnings.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using Verdict = Finding::Verdict;

/// Where nothing of ours looks at pods; the operator's own namespace as well, whose name only the cluster knows.
constexpr std::array kExcluded = {"kube-system", "kube-node-lease", "gke-gmp-system", "gke-managed-cim", "gmp-system"};

const json* annotation_of(const json& object) {
    return find_value(object, {"metadata", "annotations", names::kConnectionsAnnotation});
}

/// Whether it asks, and if not, why not: the commonest mistake is an annotation one level too high.
bool check_annotation(const json& object, const json& pod, std::vector<Finding>& findings) {
    if (const auto* annotation = annotation_of(pod)) {
        findings.push_back({Verdict::holds,
                            fmt::format("the pod asks: {}: {}", names::kConnectionsAnnotation, annotation->dump()),
                            ""});
        return true;
    }
    if (annotation_of(object) != nullptr) {
        findings.push_back({Verdict::fails,
                            fmt::format("the annotation {} is on the {} and not on its pods",
                                        names::kConnectionsAnnotation, find_string(object, {"kind"})),
                            "move it to spec.template.metadata.annotations"});
        return false;
    }
    findings.push_back(
        {Verdict::fails, fmt::format("the pod does not ask: it has no annotation {}", names::kConnectionsAnnotation),
         fmt::format("add it to the pod (of a Deployment: to spec.template.metadata.annotations): {}: CONNECTION",
                     names::kConnectionsAnnotation)});
    return false;
}

bool check_namespace(const json& object, std::vector<Finding>& findings) {
    const auto& name = find_string(object, {"metadata", "namespace"});
    if (std::find(kExcluded.begin(), kExcluded.end(), name) != kExcluded.end()) {
        findings.push_back({Verdict::fails, fmt::format("namespace {} is one that nothing of ours looks at", name),
                            "run the pod in a namespace of its own"});
        return false;
    }
    if (!name.empty()) findings.push_back({Verdict::holds, fmt::format("namespace {} is not excluded", name), ""});
    return true;
}

void describe_connections(const Inject& inject, std::vector<Finding>& findings) {
    for (const auto& connection : inject.connections) {
        auto text = fmt::format("{} is served on 127.0.0.1:{}", connection.spec.name, connection.spec.port);
        if (connection.spec.readers_port) text += fmt::format(", its readers on {}", *connection.spec.readers_port);
        if (inject.has_socket) text += ", and on " + socket_path(connection.spec.name);
        text += fmt::format("; needs ConfigMap {}{}, may have Secret {}", names::kConfigMapPrefix, connection.spec.name,
                            connection.secret);
        findings.push_back({Verdict::note, std::move(text), ""});
    }
}

}  // namespace

std::vector<Finding> explain(const json& object) {
    std::vector<Finding> findings;
    const auto* place = pod_place(object);
    if (place == nullptr) {
        findings.push_back({Verdict::fails, fmt::format("a {} has no pod", find_string(object, {"kind"})),
                            "give a Pod, or what makes pods: a Deployment, a Job …"});
        return findings;
    }
    const auto pod = pod_of(object, place);
    const bool is_stored = *place == '\0' && !find_string(object, {"metadata", "uid"}).empty();
    if (!check_annotation(object, pod, findings) || !check_namespace(object, findings)) return findings;

    const auto decision = decide(pod);
    const auto* inject = std::get_if<Inject>(&decision);
    for (const auto& warning : collect_warnings(pod, inject))
        findings.push_back({Verdict::note, "warning: " + warning, ""});
    if (const auto* refuse = std::get_if<Refuse>(&decision)) {
        findings.push_back({Verdict::fails, fmt::format("such a pod is refused: {}", refuse->reason), refuse->message});
        return findings;
    }
    if (inject == nullptr) {
        findings.push_back({Verdict::fails, "a mirror pod of a node's own manifest is passed over", ""});
        return findings;
    }
    findings.push_back({Verdict::holds, "nothing speaks against a sidecar", ""});
    describe_connections(*inject, findings);
    const auto& containers = find_array(pod, {"spec", "initContainers"});
    const bool has_sidecar = index_of_named(containers, names::kSidecar) >= 0 &&
                             find_string(pod, {"metadata", "labels", names::kInjectedLabel}) == "true";
    if (has_sidecar) {
        findings.push_back({Verdict::holds, "the pod has its sidecar", ""});
    } else if (is_stored) {
        findings.push_back({Verdict::fails, "the pod was admitted without its sidecar",
                            "it is older than the operator, or webhook and guard were away when it was created: delete "
                            "it, and its owner makes another"});
    } else {
        findings.push_back({Verdict::holds, "it gets its sidecar when the pod is created", ""});
    }
    return findings;
}

}  // namespace cvp::op
