#include "operator/cli/connection_doctor.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/connection_spec.hpp"
#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/api/connection_status.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using Verdict = Finding::Verdict;

/// What the proxy writes where it does not know its pod's namespace.
constexpr std::string_view kNamespace = "NAMESPACE";

/// "projects/P/locations/L/instances/N", where a message names an instance.
std::string instance_in(std::string_view message) {
    const auto begin = message.find("projects/");
    if (begin == std::string_view::npos) return {};
    const auto end = message.find_first_of(" ,:;", begin);
    const auto name = message.substr(begin, end - begin);
    return name.find("/instances/") == std::string_view::npos ? std::string() : std::string(name);
}

std::string segment_after(std::string_view name, std::string_view key) {
    const auto begin = name.find(key) + key.size();
    return std::string(name.substr(begin, name.find('/', begin) - begin));
}

/// The command that mends what a reason says, and the one after it: the operator looks again at once.
std::string remedy_of(const std::string& reason, const std::string& message, const std::string& name_space,
                      const std::string& name) {
    const auto again =
        fmt::format("kubectl annotate vkc {} -n {} --overwrite cloudvalkey.dev/refresh=$(date +%s)", name, name_space);
    if (const auto command = message.find("gcloud "); command != std::string::npos)
        return message.substr(command) + "; " + again;
    const auto instance = instance_in(message);
    if (instance.empty()) return "kubectl edit vkc " + name + " -n " + name_space;
    const auto where = fmt::format("--project {} --location {}", segment_after(instance, "projects/"),
                                   segment_after(instance, "/locations/"));
    if (reason == "PermissionDenied")
        return fmt::format(
            "gcloud projects add-iam-policy-binding {} --role roles/memorystore.viewer --member "
            "serviceAccount:OPERATOR_GSA --condition None; {}",
            segment_after(instance, "projects/"), again);
    if (reason == "InstanceNotFound")
        return fmt::format("gcloud memorystore instances list {}; kubectl edit vkc {} -n {}", where, name, name_space);
    return fmt::format("gcloud memorystore instances describe {} {}; {}", segment_after(instance, "/instances/"), where,
                       again);
}

/// The operator's own words: each message names the remedy.
void read_conditions(const json& connection, const std::string& name_space, const std::string& name,
                     std::vector<Finding>& findings) {
    const auto status = read_connection_status(connection);
    const auto* ready = find_condition(status.conditions, "Ready");
    const auto* resolved = find_condition(status.conditions, "Resolved");
    if (ready == nullptr) {
        findings.push_back(
            {Verdict::fails, name + ": Pending: no operator has looked at it yet", "kubectl cloudvalkey check"});
        return;
    }
    const bool has_failed = resolved != nullptr && resolved->status == ConditionStatus::false_;
    const auto& told = has_failed ? *resolved : *ready;
    const auto said = fmt::format("{}: {}: {}", name, told.reason, told.message);
    if (ready->status != ConditionStatus::true_) {
        findings.push_back({Verdict::fails, said, remedy_of(told.reason, told.message, name_space, name)});
        return;
    }
    if (has_failed) findings.push_back({Verdict::note, said + " (the last good document is served)", ""});
    findings.push_back({Verdict::holds,
                        fmt::format("{}: resolved to {}, login {}, TLS {}", name, status.resolved.endpoint,
                                    status.resolved.auth, status.resolved.tls),
                        ""});
}

/// A sidecar that can be asked: its pod and the arguments that it was started with.
struct Sidecar {
    std::string pod;
    std::vector<std::string> arguments;
};

bool asks_for(const json& pod, const std::string& connection) {
    const auto list =
        parse_connection_list(find_string(pod, {"metadata", "annotations", names::kConnectionsAnnotation}));
    return list && std::any_of(list->begin(), list->end(), [&](const auto& spec) { return spec.name == connection; });
}

bool is_running(const json& pod) {
    for (const auto& status : find_array(pod, {"status", "initContainerStatuses"}))
        if (find_string(status, {"name"}) == names::kSidecar)
            return find_value(status, {"state", "running"}) != nullptr;
    return false;
}

std::optional<Sidecar> find_sidecar(const json& pods, const std::string& connection) {
    for (const auto& pod : find_array(pods, {"items"})) {
        if (!asks_for(pod, connection) || !is_running(pod)) continue;
        for (const auto& container : find_array(pod, {"spec", "initContainers"})) {
            if (find_string(container, {"name"}) != names::kSidecar) continue;
            Sidecar sidecar{find_string(pod, {"metadata", "name"}), {}};
            for (const auto& argument : find_array(container, {"args"}))
                if (argument.is_string()) sidecar.arguments.push_back(argument.get<std::string>());
            return sidecar;
        }
    }
    return std::nullopt;
}

/// Reads `doctor -o json` of the proxy.
std::vector<Finding> read_report(const std::string& report, const Sidecar& sidecar, const std::string& name_space,
                                 const std::string& name) {
    const auto object = json::parse(report, nullptr, /*allow_exceptions=*/false);
    std::vector<Finding> findings;
    for (const auto& entry : find_array(object, {"connections"})) {
        if (find_string(entry, {"name"}) != name && find_string(entry, {"id"}) != "config") continue;
        const bool is_ok = find_string(entry, {"id"}) == "ok";
        auto remedy = find_string(entry, {"remedy"});
        if (const auto at = remedy.find(kNamespace); at != std::string::npos)
            remedy.replace(at, kNamespace.size(), name_space);
        const auto text =
            fmt::format("{}{}: {} (seen from pod {})", find_string(entry, {"name"}),
                        is_ok ? "" : ": " + find_string(entry, {"id"}), find_string(entry, {"text"}), sidecar.pod);
        findings.push_back({is_ok ? Verdict::holds : Verdict::fails, text, remedy});
    }
    return findings;
}

void ask_a_pod(Kubectl& kubectl, const std::string& name_space, const std::string& name,
               std::vector<Finding>& findings) {
    const auto pods = kubectl.get(
        {"get", "pods", "--namespace=" + name_space, "--selector=" + std::string(names::kInjectedLabel) + "=true"});
    const auto sidecar = pods ? find_sidecar(*pods, name) : std::nullopt;
    if (!sidecar) {
        findings.push_back({Verdict::note,
                            name + ": no pod with its sidecar runs: identity and network of the "
                                   "application were not looked at",
                            ""});
        return;
    }
    std::vector<std::string> arguments = {
        "exec", "--namespace=" + name_space, sidecar->pod, "--container=" + std::string(names::kSidecar),
        "--",   "/cloud-valkey-proxy",       "doctor",     "--output=json"};
    arguments.insert(arguments.end(), sidecar->arguments.begin(), sidecar->arguments.end());
    const auto answer = kubectl.run(arguments);
    auto seen = read_report(answer.out, *sidecar, name_space, name);
    if (seen.empty())
        seen.push_back(
            {Verdict::note, fmt::format("{}: pod {} could not be asked: {}", name, sidecar->pod, answer.err), ""});
    findings.insert(findings.end(), seen.begin(), seen.end());
}

}  // namespace

std::vector<Finding> examine_connection(Kubectl& kubectl, const std::string& name_space, const std::string& name) {
    std::vector<Finding> findings;
    const auto connection = kubectl.get({"get", "valkeyconnection", name, "--namespace=" + name_space});
    if (!connection)
        return {{Verdict::fails, name + ": " + connection.error().context,
                 connection.error().code == ErrorCode::not_found ? "kubectl get vkc --all-namespaces"
                                                                 : "kubectl cloudvalkey check"}};
    read_conditions(*connection, name_space, name, findings);
    if (!any_fails(findings)) ask_a_pod(kubectl, name_space, name, findings);
    std::stable_partition(findings.begin(), findings.end(),
                          [](const Finding& finding) { return finding.verdict == Verdict::fails; });
    return findings;
}

}  // namespace cvp::op
