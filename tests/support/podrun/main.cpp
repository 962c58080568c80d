// podrun: the kubelet's part for the sidecar of one pod, where there is no kubelet.
#include <csignal>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include "common/log/log.hpp"
#include "operator/kube/client.hpp"
#include "operator/kube/kubeconfig.hpp"
#include "tests/support/podrun/pod_runner.hpp"

namespace cvp::test::podrun {
namespace {

constexpr int kUsage = 64;

struct Arguments {
    std::string kubeconfig;
    std::vector<std::string> images;
    std::string binary;
    int grace_seconds = 30;
    RunOptions run;
};

/// Reads the command line.
/// @return an exit code where there is nothing to run
std::optional<int> parse_arguments(int argc, char** argv, Arguments& arguments) {
    CLI::App app(
        "Runs the native sidecar of a pod as the kubelet would: volumes, startup probe, restarts, status.\n"
        "Needs root: the sidecar gets a mount namespace of its own.",
        "podrun");
    auto& run = arguments.run;
    app.add_option("--kubeconfig", arguments.kubeconfig, "how to reach the API server")->required();
    app.add_option("--namespace", run.namespace_name, "the pod's namespace")->default_val("default");
    app.add_option("--pod", run.pod_name, "the pod's name; it may come later")->required();
    app.add_option("--container", run.container, "name of the sidecar")->capture_default_str();
    app.add_option("--binary", arguments.binary, "what stands at the first word of the container's command");
    app.add_option("--image", arguments.images, "IMAGE=PATH: the same for one image; repeatable")
        ->allow_extra_args(false);
    app.add_option("--env", run.container_options.extra_env, "NAME=VALUE for the sidecar; repeatable")
        ->allow_extra_args(false);
    app.add_option("--log", run.container_options.log_file, "file for the sidecar's output");
    app.add_option("--grace", arguments.grace_seconds, "seconds between SIGTERM and SIGKILL")->capture_default_str();
    app.add_option("app", run.app, "after --: a command to run in the place of the first application container");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kUsage;
    }
    run.container_options.grace = std::chrono::seconds(arguments.grace_seconds);
    if (!arguments.binary.empty()) run.binaries.emplace("", arguments.binary);
    for (const auto& image : arguments.images) {
        const auto equals = image.rfind('=');
        if (equals == std::string::npos) {
            std::cerr << "podrun: --image must be IMAGE=PATH, not " << image << "\n";
            return kUsage;
        }
        run.binaries.emplace(image.substr(0, equals), image.substr(equals + 1));
    }
    return std::nullopt;
}

/// Named, because a coroutine must not be a lambda with captures.
Awaitable<void> run_to_end(PodRunner& runner, asio::io_context& io, int& code) {
    code = co_await runner.run();
    io.stop();
}

int run(int argc, char** argv) {
    Arguments arguments;
    if (const auto code = parse_arguments(argc, argv, arguments)) return *code;
    log::configure(log::Level::info, log::Format::text);
    auto config = op::load_kubeconfig(arguments.kubeconfig);
    if (!config) {
        std::cerr << "podrun: " << config.error().context << "\n";
        return kUsage;
    }
    auto credentials = op::load_kube_credentials(*config);
    if (!credentials) {
        std::cerr << "podrun: " << credentials.error().context << "\n";
        return kUsage;
    }
    asio::io_context io(1);
    op::KubeClient api(io, std::move(*config), std::move(*credentials), "podrun");
    PodRunner runner(io, api, std::move(arguments.run));
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&runner](const boost::system::error_code& ec, int) {
        if (!ec) runner.stop();
    });
    int code = 1;
    asio::co_spawn(io, run_to_end(runner, io, code), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    io.run();
    return code;
}

}  // namespace
}  // namespace cvp::test::podrun

int main(int argc, char** argv) {
    return cvp::test::podrun::run(argc, argv);
}
