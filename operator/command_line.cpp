#include "operator/command_line.hpp"

#include <array>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace cvp::op {
namespace {

struct Flag {
    const char* group;
    const char* name;
    const char* value;
    const char* help;
};

constexpr const char* kCluster = "The cluster";
constexpr const char* kInjection = "Injection";
constexpr const char* kRest = "Running";

constexpr std::array kFlags{
    Flag{kInjection, "proxy-image", "IMAGE", "Image of the injected sidecar (required)"},
    Flag{kInjection, "webhook-port", "PORT", "HTTPS port that the API server calls (default 10250)"},
    Flag{kCluster, "kubeconfig", "FILE", "How to reach the API server (default: $KUBECONFIG, else as a pod)"},
    Flag{kCluster, "watch-namespaces", "A,B,…", "Namespaces to work in (default: all)"},
    Flag{kRest, "metrics-port", "PORT", "Port of /metrics (default 8080)"},
    Flag{kRest, "probe-port", "PORT", "Port of /livez and /readyz (default 8081)"},
    Flag{kRest, "log-level", "LEVEL", "debug, info (default), warn or error"},
    Flag{kRest, "log-format", "FORMAT", "json (default) or text"},
};

constexpr const char* kDescription = "Resolves ValkeyConnections and injects the proxy into the pods that ask for it.";

constexpr const char* kFooter =
    "Every flag is also an environment variable: CVP_ and the name in upper case, - as _ (CVP_LOG_LEVEL=debug).\n"
    "A flag wins over the environment.\n"
    "\n"
    "  cloud-valkey-operator --proxy-image registry.example/cloud-valkey-proxy:1.0\n"
    "  cloud-valkey-operator resolve -f sessions.yaml > connection.yaml\n"
    "\n"
    "Exit codes: 0 after SIGTERM or SIGINT, 64 usage or configuration, 69 a port cannot be bound; of resolve: 0, 1 if\n"
    "the instance cannot be resolved, 64.";

/// A missing value is reported by us, beside all other faults, so CLI11 must not end at it.
CLI::Option* add_option(CLI::App& app, const std::string& name, std::vector<std::string>& values, const Flag& flag) {
    auto* option = app.add_option(name, values, flag.help)->type_name(flag.value)->expected(0, 1);
    return option->allow_extra_args(false)->take_all();
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    CommandLine line;
    CLI::App app(kDescription, "cloud-valkey-operator");
    app.footer(kFooter);
    app.allow_extras();
    app.fallthrough();
    app.require_subcommand(0, 1);
    app.set_help_flag();
    app.add_flag("-h,--help", line.wants_help, "Print this and exit");
    app.add_flag("--version", line.wants_version, "Print the version and exit");
    app.get_formatter()->column_width(44);
    app.get_formatter()->label("OPTIONS", "flags");

    std::array<std::vector<std::string>, kFlags.size()> values;
    std::array<CLI::Option*, kFlags.size()> options{};
    for (std::size_t i = 0; i < kFlags.size(); ++i) {
        options[i] = add_option(app, std::string("--") + kFlags[i].name, values[i], kFlags[i])->group(kFlags[i].group);
    }
    auto* resolve = app.add_subcommand("resolve", "Print the resolved document of a manifest, without a cluster");
    std::vector<std::string> files;
    constexpr Flag kFile{"", "file", "FILE", "A ValkeyConnection's manifest; - is standard input"};
    auto* file = add_option(*resolve, "-f,--file", files, kFile);
    app.add_subcommand("version", "Print the version");
    for (auto* subcommand : app.get_subcommands({}))
        subcommand->set_help_flag();

    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        line.faults.emplace_back(error.what());
    }

    line.help_text = app.help();
    for (const auto* subcommand : app.get_subcommands())
        line.subcommand = subcommand->get_name();
    for (const auto& extra : app.remaining(/*recurse=*/true)) {
        line.faults.push_back(extra + ": unknown " + (extra.starts_with('-') ? "flag" : "word") + "; see --help");
    }
    for (std::size_t i = 0; i < kFlags.size(); ++i) {
        if (options[i]->count() > 0) line.flags.emplace(kFlags[i].name, options[i]->results());
    }
    if (file->count() > 0) line.flags.emplace(kFile.name, file->results());
    return line;
}

}  // namespace cvp::op
