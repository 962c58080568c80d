#include "operator/cli/check.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/crypto/base64.hpp"
#include "common/crypto/certificate.hpp"
#include "common/json_access.hpp"
#include "common/rfc3339.hpp"
#include "operator/api/connection_status.hpp"
#include "operator/cli/selftest.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Verdict = Finding::Verdict;

constexpr int kOldestMinor = 30;  ///< of Kubernetes 1
constexpr auto kSoon = std::chrono::hours(24 * 14);
constexpr std::string_view kPage = "docs/checks.md#";

constexpr const char* kReachable = "api-reachable";
constexpr const char* kVersion = "kubernetes-version";
constexpr const char* kRights = "may-install";
constexpr const char* kLeftovers = "no-leftovers";
constexpr const char* kCrd = "crd";
constexpr const char* kDeployment = "operator-ready";
constexpr const char* kLease = "operator-leads";
constexpr const char* kWebhook = "webhook";
constexpr const char* kCa = "webhook-ca";
constexpr const char* kGuard = "guard";
constexpr const char* kInjects = "injects";
constexpr const char* kExcluded = "excluded-namespace";
constexpr const char* kConnections = "connections";

Check holds(const char* id, std::string text) {
    return {id, {Verdict::holds, std::move(text), ""}};
}
Check note(const char* id, std::string text) {
    return {id, {Verdict::note, std::move(text), ""}};
}
Check fails(const char* id, std::string text, std::string remedy) {
    return {id, {Verdict::fails, std::move(text), std::move(remedy)}};
}

std::string operator_name() {
    return std::string(names::kOperator);
}

/// {1, 30} of "v1.30.4-gke.100"; {0, 0} of what is no such version. Not of "major" and "minor", which may be empty.
std::pair<int, int> version_of(std::string_view text) {
    const auto* const end = text.data() + text.size();
    int major = 0;
    int minor = 0;
    const auto after_major = std::from_chars(text.data() + std::min<std::size_t>(1, text.size()), end, major);
    if (!text.starts_with('v') || after_major.ptr == end || *after_major.ptr != '.') return {0, 0};
    std::from_chars(after_major.ptr + 1, end, minor);
    return {major, minor};
}

/// The first check of both lists: without an API server there is nothing to say.
std::optional<Check> find_version(Kubectl& kubectl, std::vector<Check>& checks) {
    const auto version = kubectl.get({"version"});
    if (!version) return fails(kReachable, version.error().context, "kubectl cluster-info");
    const auto& server = find_string(*version, {"serverVersion", "gitVersion"});
    if (server.empty()) return fails(kReachable, "the API server does not say its version", "kubectl version");
    checks.push_back(holds(kReachable, "the API server answers"));
    if (version_of(server) < std::pair(1, kOldestMinor))
        return fails(kVersion, "the API server is " + server + ", and 1.30 is the oldest that is supported",
                     "upgrade the cluster: native sidecars and admission policies are needed");
    checks.push_back(holds(kVersion, "Kubernetes " + server));
    return std::nullopt;
}

Check may_install(Kubectl& kubectl) {
    std::string denied;
    for (const auto* kind : {"customresourcedefinitions.apiextensions.k8s.io", "clusterroles.rbac.authorization.k8s.io",
                             "mutatingwebhookconfigurations.admissionregistration.k8s.io",
                             "validatingadmissionpolicies.admissionregistration.k8s.io", "deployments.apps"}) {
        if (kubectl.run({"auth", "can-i", "create", kind, "--all-namespaces", "--quiet"}).is_ok()) continue;
        denied += (denied.empty() ? "" : ", ") + std::string(kind);
    }
    if (denied.empty()) return holds(kRights, "you may create what the chart installs");
    return fails(kRights, "you may not create " + denied, "ask an administrator of the cluster to install it");
}

Check no_leftovers(Kubectl& kubectl) {
    const auto webhook = kubectl.get({"get", "mutatingwebhookconfiguration", operator_name()});
    if (!webhook) {
        if (webhook.error().code == ErrorCode::not_found)
            return holds(kLeftovers, "nothing of an earlier installation looks at pods");
        return fails(kLeftovers, "it could not be asked: " + webhook.error().context, "kubectl auth whoami");
    }
    const auto& release = find_string(*webhook, {"metadata", "annotations", "meta.helm.sh/release-name"});
    if (!release.empty())
        return fails(kLeftovers, "it is installed already, as release " + release, "helm upgrade " + release);
    // kubectl apply leaves no mark of a release: whoever it calls is there, or it is what is left of an installation.
    const auto& webhooks = find_array(*webhook, {"webhooks"});
    const auto& where =
        webhooks.empty() ? std::string() : find_string(webhooks[0], {"clientConfig", "service", "namespace"});
    if (where.empty() || kubectl.get({"get", "service", operator_name(), "--namespace=" + where}))
        return fails(kLeftovers, "it is installed already, and not by helm", "kubectl cloudvalkey check");
    return fails(kLeftovers, "the webhook configuration of an earlier installation is still there",
                 "kubectl delete mutatingwebhookconfiguration " + operator_name());
}

Check crd(Kubectl& kubectl) {
    const auto found = kubectl.get({"get", "crd", "valkeyconnections.cloudvalkey.dev"});
    if (!found)
        return fails(kCrd, "the CRD is not there: " + found.error().context, "kubectl apply --server-side -f crds/");
    for (const auto& condition : find_array(*found, {"status", "conditions"}))
        if (find_string(condition, {"type"}) == "Established" && find_string(condition, {"status"}) == "True")
            return holds(kCrd, "the CRD is established");
    return fails(kCrd, "the CRD is not established", "kubectl describe crd valkeyconnections.cloudvalkey.dev");
}

Check deployment(Kubectl& kubectl, const std::string& name_space) {
    const auto found = kubectl.get({"get", "deployment", operator_name(), "--namespace=" + name_space});
    if (!found) {
        if (found.error().code == ErrorCode::not_found)
            return note(kDeployment, "there is no operator in namespace " + name_space +
                                         ": it runs elsewhere, or --operator-namespace is another one");
        return fails(kDeployment, found.error().context, "kubectl get deployments --all-namespaces");
    }
    const auto wanted = found->value(json::json_pointer("/spec/replicas"), 1);
    const auto ready = found->value(json::json_pointer("/status/readyReplicas"), 0);
    const auto text = fmt::format("{} of {} replicas of the operator are ready", ready, wanted);
    if (ready >= wanted) return holds(kDeployment, text);
    return fails(kDeployment, text,
                 "kubectl describe pods --namespace=" + name_space + " -l app.kubernetes.io/name=" + operator_name());
}

Check lease(Kubectl& kubectl, const std::string& name_space, std::chrono::system_clock::time_point now) {
    const auto found = kubectl.get({"get", "lease", operator_name(), "--namespace=" + name_space});
    const auto remedy = "kubectl logs --namespace=" + name_space + " deployment/" + operator_name();
    if (!found) return fails(kLease, "no replica has ever led: " + found.error().context, remedy);
    const auto renewed = parse_rfc3339(find_string(*found, {"spec", "renewTime"}));
    const auto& holder = find_string(*found, {"spec", "holderIdentity"});
    if (holder.empty() || !renewed || now - *renewed > 60s)
        return fails(kLease, "no replica leads at present: connections are not resolved", remedy);
    return holds(kLease, holder + " leads");
}

/// The webhook, or the policy that stands for it.
void find_webhook(Kubectl& kubectl, std::vector<Check>& checks, std::chrono::system_clock::time_point now) {
    const auto found = kubectl.get({"get", "mutatingwebhookconfiguration", operator_name()});
    if (!found && found.error().code != ErrorCode::not_found)
        return checks.push_back(
            fails(kWebhook, "it could not be asked: " + found.error().context, "kubectl auth whoami"));
    if (!found) {
        if (kubectl.get({"get", "mutatingadmissionpolicy", "cloudvalkey-inject"}))
            return checks.push_back(holds(kWebhook, "the API server injects by a MutatingAdmissionPolicy"));
        return checks.push_back(fails(kWebhook, "neither webhook nor policy is there: " + found.error().context,
                                      "helm upgrade, or kubectl apply -f deploy/install.yaml"));
    }
    const auto& webhooks = find_array(*found, {"webhooks"});
    if (webhooks.empty())
        return checks.push_back(fails(kWebhook, "the webhook configuration names no webhook", "helm upgrade"));
    checks.push_back(holds(kWebhook, "the API server calls the operator for pods that ask"));
    const auto bundle = crypto::base64_decode(find_string(webhooks[0], {"clientConfig", "caBundle"}));
    const auto certificates = crypto::parse_certificates(bundle.value_or(""));
    if (!certificates)
        return checks.push_back(
            fails(kCa, "the API server has no CA for the webhook",
                  "the operator writes it when it starts: look at check " + std::string(kDeployment)));
    const auto last = std::max_element(certificates->begin(), certificates->end(),
                                       [](const auto& a, const auto& b) { return a.not_after < b.not_after; });
    const auto text = "the webhook's CA is valid until " + format_rfc3339(last->not_after);
    if (last->not_after - now > kSoon) return checks.push_back(holds(kCa, text));
    checks.push_back(fails(kCa, text,
                           "the operator renews it by itself: see its log; cert-manager or you do where "
                           "webhook.certificate.mode says so"));
}

Check guard(Kubectl& kubectl) {
    const auto found = kubectl.get({"get", "validatingadmissionpolicybinding", "cloudvalkey-guard"});
    if (found) return holds(kGuard, "pods that ask and were not injected are refused");
    if (found.error().code != ErrorCode::not_found)
        return fails(kGuard, "it could not be asked: " + found.error().context, "kubectl auth whoami");
    return note(kGuard, "the guard is off: while nothing injects, pods that ask start without a sidecar");
}

Check admission(Kubectl& kubectl, const char* id, const std::string& name_space, bool is_excluded) {
    auto answer =
        kubectl.get({"create", "--dry-run=server", "--filename=-", "--namespace=" + name_space}, selftest_pod().dump());
    if (answer) return {id, judge_admission(*std::move(answer), name_space, is_excluded)};
    KubeError error;
    error.error = std::move(answer).error();
    return {id, judge_admission(tl::unexpected(std::move(error)), name_space, is_excluded)};
}

Check connections(Kubectl& kubectl) {
    const auto found = kubectl.get({"get", "valkeyconnections", "--all-namespaces"});
    if (!found) return fails(kConnections, found.error().context, "kubectl get vkc --all-namespaces");
    const auto& items = find_array(*found, {"items"});
    std::string bad;
    std::string first;
    for (const auto& item : items) {
        const auto status = read_connection_status(item);
        const auto* ready = find_condition(status.conditions, "Ready");
        if (ready != nullptr && ready->status == ConditionStatus::true_) continue;
        const auto& name = find_string(item, {"metadata", "name"});
        const auto& name_space = find_string(item, {"metadata", "namespace"});
        if (first.empty()) first = "kubectl cloudvalkey doctor " + name + " -n " + name_space;
        bad += fmt::format("{}{}/{} ({})", bad.empty() ? "" : ", ", name_space, name,
                           ready != nullptr ? ready->reason : "Pending");
    }
    if (!bad.empty()) return fails(kConnections, "not ready: " + bad, first);
    return holds(kConnections, fmt::format("{} connections, all ready", items.size()));
}

}  // namespace

std::vector<Check> check_before(Kubectl& kubectl) {
    std::vector<Check> checks;
    if (auto fault = find_version(kubectl, checks)) {
        checks.push_back(*std::move(fault));
        return checks;
    }
    checks.push_back(may_install(kubectl));
    checks.push_back(no_leftovers(kubectl));
    return checks;
}

std::vector<Check> check_installed(Kubectl& kubectl, const std::string& operator_namespace,
                                   const std::string& name_space, std::chrono::system_clock::time_point now) {
    std::vector<Check> checks;
    if (auto fault = find_version(kubectl, checks)) {
        checks.push_back(*std::move(fault));
        return checks;
    }
    checks.push_back(crd(kubectl));
    checks.push_back(deployment(kubectl, operator_namespace));
    checks.push_back(lease(kubectl, operator_namespace, now));
    find_webhook(kubectl, checks, now);
    checks.push_back(guard(kubectl));
    if (name_space == operator_namespace) {
        checks.push_back(
            note(kInjects, "not asked: the operator's own namespace is excluded; --namespace names another"));
    } else {
        checks.push_back(admission(kubectl, kInjects, name_space, false));
    }
    checks.push_back(admission(kubectl, kExcluded, operator_namespace, true));
    checks.push_back(connections(kubectl));
    return checks;
}

std::vector<std::string> check_ids() {
    return {kReachable, kVersion, kRights, kLeftovers, kCrd,      kDeployment, kLease,
            kWebhook,   kCa,      kGuard,  kInjects,   kExcluded, kConnections};
}

std::string to_string(const std::vector<Check>& checks) {
    std::string text;
    for (const auto& [id, finding] : checks) {
        text += to_string(std::vector{finding});
        if (finding.verdict == Verdict::fails) text += fmt::format("    {}{}\n", kPage, id);
    }
    return text;
}

std::string to_json(const std::vector<Check>& checks) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& [id, finding] : checks) {
        list.push_back({{"id", id},
                        {"ok", finding.verdict != Verdict::fails},
                        {"text", finding.text},
                        {"remedy", finding.remedy},
                        {"hint", std::string(kPage) + id}});
    }
    return nlohmann::ordered_json{{"checks", std::move(list)}}.dump(2) + "\n";
}

}  // namespace cvp::op
