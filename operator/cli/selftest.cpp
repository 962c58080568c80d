#include "operator/cli/selftest.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/async/task_group.hpp"
#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/exit_codes.hpp"
#include "operator/kube/client.hpp"
#include "operator/version.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Verdict = Finding::Verdict;

constexpr auto kPause = 1s;

/// What Go says of a connection that nobody answers.
constexpr std::array<std::string_view, 3> kUnheard{"context deadline exceeded", "i/o timeout", "no route to host"};

bool has_sidecar(const json& pod) {
    return index_of_named(find_array(pod, {"spec", "initContainers"}), names::kSidecar) >= 0;
}

Awaitable<std::vector<Finding>> ask(KubeClient& kube, const SelftestOptions& options) {
    std::vector<Finding> findings;
    const auto injected = co_await kube.create_dry(pods(options.name_space), selftest_pod());
    findings.push_back(judge_admission(injected, options.name_space, false));
    if (!options.excluded_namespace.empty()) {
        const auto bare = co_await kube.create_dry(pods(options.excluded_namespace), selftest_pod());
        findings.push_back(judge_admission(bare, options.excluded_namespace, true));
    }
    co_return findings;
}

Awaitable<void> ask_until_it_holds(KubeClient& kube, const SelftestOptions& options, std::vector<Finding>& findings,
                                   std::ostream& err) {
    const auto deadline = SteadyClock::now() + options.patience;
    for (;;) {
        findings = co_await ask(kube, options);
        if (!any_fails(findings) || SteadyClock::now() + kPause >= deadline) break;
        err << "not yet: " << to_string(findings);
        co_await sleep_for(kPause);
    }
    kube.close();
}

/// Whether the API server waited for the webhook in vain: its packets go nowhere.
bool is_unheard(std::string_view refusal) {
    return std::any_of(kUnheard.begin(), kUnheard.end(),
                       [&](std::string_view words) { return refusal.find(words) != std::string_view::npos; });
}

}  // namespace

json selftest_pod() {
    return {
        {"apiVersion", "v1"},
        {"kind", "Pod"},
        {"metadata",
         {{"name", "cloud-valkey-selftest"},
          {"annotations", {{std::string(names::kConnectionsAnnotation), "selftest"}}}}},
        // What the strictest Pod Security level admits.
        {"spec",
         {{"automountServiceAccountToken", false},
          {"securityContext",
           {{"runAsNonRoot", true}, {"runAsUser", 65532}, {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
          {"containers",
           {{{"name", "app"},
             {"image", "selftest:1"},
             {"resources", {{"requests", {{"cpu", "1m"}, {"memory", "1Mi"}}}}},
             {"securityContext", {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}}}}}}}}};
}

Finding judge_admission(const KubeResult<json>& answer, const std::string& name_space, bool is_excluded) {
    const auto where = "in namespace " + name_space;
    if (!answer) {
        const auto& error = answer.error();
        const auto refused = "a pod that asks is refused " + where + ": " + error.error.context;
        if (is_excluded)
            return {Verdict::fails, refused,
                    "the namespace should be excluded: compare the namespaceSelector of the "
                    "webhook and of the policies with the chart's"};
        if (is_unheard(refused))
            return {Verdict::fails, refused + " (a firewall between control plane and operator)",
                    "gcloud compute firewall-rules create cloud-valkey-webhook --direction INGRESS --network NETWORK "
                    "--source-ranges CONTROL_PLANE_CIDR --target-tags NODE_TAG --allow tcp:10250 (webhook.port); "
                    "docs/gke.md#3-network"};
        return {Verdict::fails, refused,
                "an operator that is not ready: kubectl get pods --all-namespaces -l "
                "app.kubernetes.io/name=cloud-valkey-operator"};
    }
    if (has_sidecar(*answer)) {
        if (is_excluded) return {Verdict::fails, "a pod is injected " + where + ", which should be excluded", ""};
        return {Verdict::holds, "a pod that asks is injected " + where, ""};
    }
    if (is_excluded) return {Verdict::holds, "it stays as it is " + where + ", which is excluded", ""};
    return {Verdict::fails, "a pod that asks arrives without a sidecar " + where,
            "nothing of ours looked at it: kubectl get mutatingwebhookconfiguration,mutatingadmissionpolicy; is the "
            "namespace one of watchNamespaces?"};
}

int run_selftest(const SelftestOptions& options, std::ostream& out, std::ostream& err) {
    auto config = find_kube_config(options.kubeconfig);
    auto credentials = config ? load_kube_credentials(*config) : Result<KubeCredentials>(fail(config.error()));
    if (!credentials) {
        err << "cloud-valkey-operator: " << credentials.error().context << "\n";
        return kExitUsage;
    }
    asio::io_context io(1);
    KubeClient kube(io, *std::move(config), *std::move(credentials),
                    "cloud-valkey-operator/" + std::string(version()) + " selftest");
    std::vector<Finding> findings;
    TaskGroup tasks(io);
    tasks.spawn("selftest", ask_until_it_holds(kube, options, findings, err));
    io.run();
    out << to_string(findings);
    return any_fails(findings) ? kExitFailed : kExitOk;
}

}  // namespace cvp::op
