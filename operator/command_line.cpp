#include "operator/command_line.hpp"

#include <utility>

namespace cvp::op {
namespace {

constexpr const char* kCluster = "The cluster";
constexpr const char* kInjection = "Injection";
constexpr const char* kRest = "Running";

constexpr const char* kDescription = "Resolves ValkeyConnections and injects the proxy into the pods that ask for it.";

constexpr const char* kFooter =
    "Every flag is also an environment variable: CVP_ and the name in upper case, - as _ (CVP_LOG_LEVEL=debug).\n"
    "A flag wins over the environment.\n"
    "\n"
    "  cloud-valkey-operator --proxy-image registry.example/cloud-valkey-proxy:1.0\n"
    "  cloud-valkey-operator resolve -f sessions.yaml > connection.yaml\n"
    "\n"
    "SIGTERM answers the API server for 10 s more, SIGINT ends sooner, a second signal at once.\n"
    "Exit codes: 0 after SIGTERM or SIGINT, 64 usage or configuration, 69 a port cannot be bound, 75 the lease was\n"
    "lost; of resolve: 0, 1 if the instance cannot be resolved, 64; of selftest: 0, 1 if pods are not injected, 64.";

ProgramSpec program() {
    std::vector<FlagSpec> flags{
        {kInjection, "proxy-image", "IMAGE", "Image of the injected sidecar (required in mode Webhook)"},
        {kInjection, "injection-mode", "MODE",
         "Webhook (default), or Policy: a policy of the chart injects (API server 1.36)"},
        {kInjection, "image-pull-secrets", "A,B,…", "Pull secrets added to injected pods; each namespace has its own"},
        {kInjection, "webhook-tls-dir", "DIR", "tls.crt and tls.key of a given certificate (default: make our own)"},
        {kInjection, "ca-settle", "DURATION", "A new CA is trusted so long before it signs (default 60s)"},
        {kInjection, "ca-overlap", "DURATION", "The old CA is trusted so long after that (default 1h)"},
        {kInjection, "webhook-port", "PORT", "HTTPS port that the API server calls (default 10250)"},
        {kCluster, "kubeconfig", "FILE", "How to reach the API server (default: $KUBECONFIG, else as a pod)"},
        {kCluster, "watch-namespaces", "A,B,…", "Namespaces to work in (default: all)"},
        {kRest, "metrics-port", "PORT", "Port of /metrics (default 8080)"},
        {kRest, "probe-port", "PORT", "Port of /livez and /readyz (default 8081)"},
        {kRest, "log-level", "LEVEL", "debug, info (default), warn or error"},
        {kRest, "log-format", "FORMAT", "json (default) or text"},
    };
    return {"cloud-valkey-operator",
            kDescription,
            kFooter,
            std::move(flags),
            {{"resolve",
              "Print the resolved document of a manifest, without a cluster",
              {{"", "file", "FILE", "A ValkeyConnection's manifest; - is standard input", "f"}}},
             {"selftest",
              "Ask the API server by a dry run whether pods are injected: exit 0 or 1",
              {{"", "namespace", "NAME", "Where a pod that asks must be injected (default: default)"},
               {"", "excluded-namespace", "NAME", "Where it must stay as it is (default: not asked)"},
               {"", "kubeconfig", "FILE", "How to reach the API server (default: $KUBECONFIG, else as a pod)"},
               {"", "wait", "DURATION", "For an operator that has just been installed (default 60s)"}}},
             {"version", "Print the version", {}}}};
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    return cvp::parse_command_line(program(), arguments);
}

}  // namespace cvp::op
