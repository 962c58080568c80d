// cvp-control-plane: a real Kubernetes API on loopback for as long as this process lives.

#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>

#include <fmt/core.h>

#include "tests/support/control_plane.hpp"

namespace {

constexpr auto kUsage =
    "usage: cvp-control-plane DIR [--port PORT] [--apply FILE-OR-FOLDER]…\n"
    "\n"
    "Starts etcd, kube-apiserver and kube-controller-manager in DIR, writes DIR/admin.kubeconfig, prints one line\n"
    "'ready KUBECONFIG URL TOOLS' and runs until SIGTERM or SIGINT; ends with 1 if one of the three ends.\n"
    "--apply: what is applied before the controllers start, so CRDs (the garbage collector looks for new ones every\n"
    "30 s). TOOLS is the directory of kubectl and helm.\n";

constexpr int kUsageStatus = 64;

/// Reads the command line; an empty directory means that it makes no sense.
cvp::test::ControlPlaneOptions parse_arguments(int argc, char** argv) {
    cvp::test::ControlPlaneOptions options;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const bool has_value = i + 1 < argc;
        if (argument == "--apply" && has_value) {
            options.manifests.emplace_back(argv[++i]);
        } else if (argument == "--port" && has_value) {
            const std::string port = argv[++i];
            const char* const end = port.data() + port.size();
            if (std::from_chars(port.data(), end, options.port).ptr != end || options.port == 0) return {};
        } else if (options.dir.empty() && !argument.starts_with("-")) {
            options.dir = argument;
        } else {
            return {};
        }
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    auto options = parse_arguments(argc, argv);
    if (options.dir.empty()) {
        fmt::print(stderr, kUsage);
        return kUsageStatus;
    }
    // Blocked before the first child starts, so that none is missed; children get an empty mask.
    sigset_t ending;
    ::sigemptyset(&ending);
    for (const int number : {SIGTERM, SIGINT, SIGCHLD})
        ::sigaddset(&ending, number);
    ::sigprocmask(SIG_BLOCK, &ending, nullptr);

    auto plane = cvp::test::ControlPlane::start(std::move(options));
    if (!plane) {
        fmt::print(stderr, "cvp-control-plane: {}\n", plane.error().context);
        return 1;
    }
    fmt::print("ready {} {} {}\n", plane->admin_kubeconfig().string(), plane->url(), plane->tools().string());
    std::fflush(stdout);
    for (;;) {
        int number = 0;
        ::sigwait(&ending, &number);
        if (number != SIGCHLD) return 0;
        if (const auto running = plane->check_running(); !running) {
            fmt::print(stderr, "cvp-control-plane: {}\n", running.error().context);
            return 1;
        }
    }
}
