#include "proxy/command_line.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace cvp::proxy {
namespace {

struct Flag {
    const char* group;
    const char* name;
    const char* value;  ///< nullptr: a switch
    const char* help;
};

constexpr const char* kServed = "What is served (one of three)";
constexpr const char* kPlace = "Where clients connect";
constexpr const char* kRest = "Running";

constexpr std::array kFlags{
    Flag{kServed, "instance", "NAME", "An instance that the proxy resolves itself: short or full resource name"},
    Flag{kServed, "config", "FILE", "A resolved document, connection.yaml"},
    Flag{kServed, "connection", "NAME:PORT[/READERS]",
         "The document /etc/cloudvalkey/NAME/connection.yaml, served on PORT; may be repeated"},
    Flag{kServed, "type", "TYPE", "Kind of --instance: valkey (default)"},
    Flag{kServed, "project", "ID", "Project of a short instance name (default: asked of the metadata server)"},
    Flag{kServed, "location", "REGION", "Region of a short instance name (default: asked of the metadata server)"},
    Flag{kServed, "refresh-interval", "DURATION", "How often --instance is resolved again (default 1h)"},
    Flag{kPlace, "listen", "ADDRESS", "IP address to listen on (default 127.0.0.1)"},
    Flag{kPlace, "port", "PORT", "Port of the primary, with --instance or --config (default 6379)"},
    Flag{kPlace, "readers-port", "PORT",
         "Port of the readers, with --instance or --config (default 6380, opened only if there is a reader)"},
    Flag{kPlace, "allow-open-listen", nullptr, "Permit a --listen address that other machines can reach"},
    Flag{kRest, "admin-listen", "ADDRESS:PORT|off", "Probes, metrics and status (default 127.0.0.1:9379)"},
    Flag{kRest, "min-drain", "DURATION", "After SIGTERM: go on accepting this long (default 0s)"},
    Flag{kRest, "max-drain", "DURATION", "After SIGTERM: wait at most this long for clients to finish (default 10s)"},
    Flag{kRest, "log-level", "LEVEL", "debug, info (default), warn or error"},
    Flag{kRest, "log-format", "FORMAT", "json (default) or text"},
};

constexpr const char* kDescription =
    "A plain Valkey on 127.0.0.1 in front of a managed one: TLS and IAM login are done here.";

constexpr const char* kFooter =
    "Every flag is also an environment variable: CVP_ and the name in upper case, - as _ (CVP_LOG_LEVEL=debug);\n"
    "VALKEY_INSTANCE_NAME stands for --instance. A flag wins over the environment.\n"
    "\n"
    "  cloud-valkey-proxy --instance my-valkey\n"
    "  cloud-valkey-proxy --config ./connection.yaml --port 7000\n"
    "\n"
    "Exit codes: 0 after SIGTERM or SIGINT, 64 usage or configuration, 69 a port cannot be bound; of probe: 0 or 1.";

/// `-instance` is how older tools spell it.
std::string with_two_dashes(const std::string& argument) {
    const bool is_old_form = argument == "-instance" || argument.starts_with("-instance=");
    return is_old_form ? "-" + argument : argument;
}

CLI::Option* add_flag(CLI::App& app, const Flag& flag, std::vector<std::string>& values) {
    const auto name = std::string("--") + flag.name;
    if (flag.value == nullptr) return app.add_flag(name, values, flag.help);
    // A missing value is reported by us, beside all other faults, so CLI11 must not end at it.
    auto* option = app.add_option(name, values, flag.help)->type_name(flag.value)->expected(0, 1);
    return option->allow_extra_args(false)->take_all();
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    CommandLine line;
    CLI::App app(kDescription, "cloud-valkey-proxy");
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
        options[i] = add_flag(app, kFlags[i], values[i])->group(kFlags[i].group);
    }
    auto* probe = app.add_subcommand("probe", "Ask a running proxy's admin port for its health: exit 0 or 1");
    probe->add_flag("--ready", line.ready, "Ask for readiness (/readyz), not for startup (/startup)");
    app.add_subcommand("version", "Print the version");
    for (auto* subcommand : app.get_subcommands({}))
        subcommand->set_help_flag();

    std::vector<std::string> reversed;
    std::transform(arguments.rbegin(), arguments.rend(), std::back_inserter(reversed), with_two_dashes);
    try {
        app.parse(reversed);
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
    return line;
}

}  // namespace cvp::proxy
