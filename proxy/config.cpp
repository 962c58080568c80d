#include "proxy/config.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/config/duration.hpp"
#include "common/contract/connection_spec.hpp"
#include "common/contract/names.hpp"
#include "common/credentials/metadata_answer.hpp"
#include "common/providers/instance_name.hpp"
#include "proxy/command_line.hpp"
#include "proxy/listen_settings.hpp"

namespace cvp::proxy {
namespace {

using std::chrono::milliseconds;

Result<std::optional<http::ListenAddress>> parse_admin(std::string_view text) {
    if (text == "off") return std::optional<http::ListenAddress>();
    const auto address = http::parse_listen_address(text);
    if (!address || address->port == 0) {
        return fail(ErrorCode::invalid_argument,
                    "must be ADDRESS:PORT (127.0.0.1:9379), :PORT for all addresses, or off");
    }
    return std::optional(*address);
}

Result<std::string> parse_type(std::string_view text) {
    if (text == "valkey") return std::string(text);
    return fail(ErrorCode::invalid_argument, "must be valkey (Memorystore for Valkey)");
}

void read_ports(Settings& settings, LocalPorts& ports) {
    settings.read("port", ports.primary, parse_port);
    ports.readers = 6380;
    ports.readers_on_demand = !settings.find("readers-port");
    settings.read("readers-port", ports.readers, parse_port);
    if (ports.readers == ports.primary) {
        settings.refuse(
            fmt::format("--port and --readers-port: both are {}; give one of them another port", ports.primary));
    }
}

/// Each part of the name is checked on its own, so that the right flag is blamed.
void read_name(Settings& settings, const Setting& instance, InstanceSource& source) {
    constexpr std::string_view kAnyName = "i";
    constexpr std::string_view kAnyProject = "p";
    constexpr std::string_view kAnyRegion = "us-central1";
    const auto check = [&](const Setting& setting, std::string& target, const Result<providers::InstanceName>& name) {
        target = setting.value;
        if (!name) settings.refuse(fmt::format("{}: {}", setting.origin, name.error().context));
    };
    check(instance, source.instance, providers::parse_instance_name(instance.value, kAnyProject, kAnyRegion));
    if (const auto project = settings.find("project")) {
        check(*project, source.project, providers::parse_instance_name(kAnyName, project->value, kAnyRegion));
    }
    if (const auto location = settings.find("location")) {
        check(*location, source.location, providers::parse_instance_name(kAnyName, kAnyProject, location->value));
    }
}

InstanceSource read_instance(Settings& settings, const Setting& name) {
    InstanceSource source;
    read_name(settings, name, source);
    settings.read("type", source.type, parse_type);
    settings.read("refresh-interval", source.refresh_interval, parse_duration);
    using namespace std::chrono_literals;
    if (source.refresh_interval < 1min || source.refresh_interval > 24h) {
        settings.refuse(
            fmt::format("--refresh-interval: {} is not from 1m to 24h", format_duration(source.refresh_interval)));
    }
    if (const auto base = settings.variable("CVP_GOOGLE_API_BASE")) {
        source.api_is_overridden = true;
        if (const auto origin = parse_api_base(base->value)) {
            source.api = *origin;
        } else {
            settings.refuse(*base, origin.error().context);
        }
    }
    read_ports(settings, source.ports);
    source.ports.unix_socket = read_socket(settings);
    return source;
}

DocumentSource read_document(Settings& settings, const Setting& file) {
    DocumentSource source;
    if (file.value.empty()) settings.refuse(file, "");
    source.file = file.value;
    read_ports(settings, source.ports);
    source.ports.unix_socket = read_socket(settings);
    return source;
}

/// The entries of a variable as a list, as in the pod annotation.
std::vector<std::string> split_entries(std::string_view list) {
    std::vector<std::string> entries;
    while (true) {
        const auto comma = list.find(',');
        entries.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return entries;
        list.remove_prefix(comma + 1);
    }
}

std::vector<DocumentSource> read_connections(Settings& settings, const std::vector<std::string>& entries,
                                             std::string_view origin, std::uint16_t admin_port) {
    std::vector<ConnectionSpec> specs;
    for (const auto& entry : entries) {
        if (auto spec = parse_connection_spec(entry, specs.size())) {
            specs.push_back(std::move(*spec));
        } else {
            settings.refuse(fmt::format("{}: {}", origin, spec.error().message));
        }
    }
    if (entries.size() > kMaxConnections) {
        settings.refuse(fmt::format("{}: {} connections; {} is the most", origin, entries.size(), kMaxConnections));
    } else if (const auto clash = find_clash(specs, admin_port)) {
        settings.refuse(fmt::format("{}: {}", origin, clash->message));
    }
    for (const auto* name : {"port", "readers-port"}) {
        if (settings.flag(name)) {
            settings.refuse(
                fmt::format("--{}: --connection names its own ports (NAME:PORT/READERS); leave it out", name));
        }
    }

    const SocketDirectory sockets(settings);
    std::vector<DocumentSource> documents;
    for (const auto& spec : specs) {
        documents.push_back({spec.name, std::filesystem::path(names::kMountRoot) / spec.name / names::kConnectionFile,
                             LocalPorts{spec.port, spec.readers_port, false, sockets.socket_of(settings, spec.name)}});
    }
    return documents;
}

/// Whichever of the three says what is served. Any flag of them hides the environment's.
void read_sources(Settings& settings, Config& config) {
    auto instance = settings.flag("instance");
    auto file = settings.flag("config");
    auto entries = settings.all_of_flag("connection");
    std::string_view entries_origin = "--connection";
    if (!instance && !file && entries.empty()) {
        instance = settings.variable("CVP_INSTANCE");
        if (!instance) instance = settings.variable("VALKEY_INSTANCE_NAME");
        file = settings.variable("CVP_CONFIG");
        if (const auto list = settings.variable("CVP_CONNECTION")) {
            entries = split_entries(list->value);
            entries_origin = "CVP_CONNECTION";
        }
    }
    const int sources = (instance ? 1 : 0) + (file ? 1 : 0) + (entries.empty() ? 0 : 1);
    if (sources == 0) {
        settings.refuse(
            "nothing to serve: say --instance NAME, --config FILE or --connection NAME:PORT, or set "
            "VALKEY_INSTANCE_NAME; see --help");
    }
    if (sources > 1) settings.refuse("--instance, --config and --connection exclude each other: say one of them");

    const std::uint16_t admin_port = config.admin ? config.admin->port : std::uint16_t{0};
    if (instance) config.instance = read_instance(settings, *instance);
    if (file) config.documents.push_back(read_document(settings, *file));
    if (!entries.empty()) config.documents = read_connections(settings, entries, entries_origin, admin_port);

    if (!instance && !file) return;
    const auto& ports = instance ? config.instance->ports : config.documents.front().ports;
    if (config.admin && (ports.primary == admin_port || ports.readers == admin_port)) {
        settings.refuse(
            fmt::format("--admin-listen: port {} is also a client port; give one of them another port", admin_port));
    }
}

void read_drain(Settings& settings, Config& config) {
    settings.read("min-drain", config.min_drain, parse_duration);
    settings.read("max-drain", config.max_drain, parse_duration);
    if (config.min_drain > config.max_drain) {
        settings.refuse(fmt::format("--min-drain: {} is longer than --max-drain, {}", format_duration(config.min_drain),
                                    format_duration(config.max_drain)));
    }
}

/// Logins that grow old in seconds instead of hours.
void read_login_age(Settings& settings, Config& config) {
    const auto every = settings.variable("CVP_TEST_RELOGIN_EVERY");
    const auto deadline = settings.variable("CVP_TEST_LOGIN_DEADLINE");
    if (!every && !deadline) return;
    AgeLimits limits;
    const auto read = [&](const Setting& setting, SteadyClock::duration& target) {
        if (const auto value = parse_duration(setting.value)) {
            target = *value;
        } else {
            settings.refuse(setting, value.error().context);
        }
    };
    if (deadline) read(*deadline, limits.deadline);
    limits.earliest = limits.latest = limits.deadline / 2;
    if (every) read(*every, limits.earliest);
    if (every) limits.latest = limits.earliest;
    config.login_age = limits;
}

Result<bool> parse_output(std::string_view text) {
    if (text == "json" || text == "text") return text == "json";
    return fail(ErrorCode::invalid_argument, "must be text or json");
}

void read_doctor(Settings& settings, DoctorOptions& doctor) {
    settings.read("output", doctor.as_json, parse_output);
    settings.read("wait", doctor.wait, parse_duration);
}

Action action_of(const CommandLine& line) {
    if (line.wants_help) return Action::help;
    if (line.wants_version || line.subcommand == "version") return Action::version;
    if (line.subcommand == "probe")
        return line.flags.contains(kReadyFlag) ? Action::probe_ready : Action::probe_startup;
    return line.subcommand == "doctor" ? Action::doctor : Action::serve;
}

}  // namespace

tl::expected<Command, Faults> parse_command(const std::vector<std::string>& arguments, const Environment& environment) {
    const auto line = parse_command_line(arguments);
    Command command;
    command.action = action_of(line);
    command.help_text = line.help_text;
    if (command.action == Action::help) return command;

    auto faults = line.faults;
    Settings settings(line.flags, environment, faults);
    auto& config = command.config;
    if (command.action != Action::version) settings.read("admin-listen", config.admin, parse_admin);
    if (command.action == Action::doctor) read_doctor(settings, config.doctor);
    if (command.action == Action::serve || command.action == Action::doctor) {
        settings.read("log-level", config.log_level, log::parse_level);
        settings.read("log-format", config.log_format, log::parse_format);
        read_sources(settings, config);
        read_clients(settings, config);
        read_drain(settings, config);
        settings.read("latency-by-command", config.latency_by_command, parse_switch);
        read_login_age(settings, config);
        if (const auto notify = settings.variable("NOTIFY_SOCKET")) config.notify_socket = notify->value;
        const auto metadata_host = settings.variable("GCE_METADATA_HOST");
        if (auto origin = metadata::parse_host(metadata_host ? metadata_host->value : "")) {
            config.metadata_server = std::move(*origin);
        } else {
            settings.refuse(origin.error().context);
        }
    }
    if (!faults.empty()) return tl::unexpected(std::move(faults));
    return command;
}

}  // namespace cvp::proxy
