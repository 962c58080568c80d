#include "operator/config.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/config/duration.hpp"
#include "common/credentials/metadata_answer.hpp"
#include "operator/command_line.hpp"

namespace cvp::op {
namespace {

constexpr std::size_t kMaxNamespaceName = 63;
constexpr std::size_t kMaxSecretName = 253;

Result<std::string> parse_text(std::string_view text) {
    if (text.empty()) return fail(ErrorCode::invalid_argument, "needs a value");
    return std::string(text);
}

Result<std::filesystem::path> parse_path(std::string_view text) {
    if (text.empty()) return fail(ErrorCode::invalid_argument, "needs a value");
    return std::filesystem::path(text);
}

/// @source Kubernetes: a namespace is a DNS label
bool is_namespace(std::string_view name) {
    const auto is_allowed = [](char c) { return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '-'; };
    return !name.empty() && name.size() <= kMaxNamespaceName && name.front() != '-' && name.back() != '-' &&
           std::all_of(name.begin(), name.end(), is_allowed);
}

/// @source Kubernetes: a Secret's name is a DNS subdomain
bool is_secret(std::string_view name) {
    const auto is_allowed = [](char c) {
        return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '-' || c == '.';
    };
    return !name.empty() && name.size() <= kMaxSecretName && std::all_of(name.begin(), name.end(), is_allowed);
}

/// "a,b,a" → {"a", "b"}.
Result<std::vector<std::string>> parse_names(std::string_view list, bool (*is_name)(std::string_view),
                                             std::string_view what) {
    std::vector<std::string> names;
    while (true) {
        const auto comma = list.find(',');
        const auto name = list.substr(0, comma);
        if (!is_name(name)) {
            return fail(ErrorCode::invalid_argument,
                        fmt::format("must be names of {}, separated by commas, without spaces", what));
        }
        if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
        if (comma == std::string_view::npos) return names;
        list.remove_prefix(comma + 1);
    }
}

Result<std::vector<std::string>> parse_namespaces(std::string_view list) {
    return parse_names(list, is_namespace, "namespaces");
}

Result<std::vector<std::string>> parse_secrets(std::string_view list) {
    return parse_names(list, is_secret, "Secrets");
}

Result<std::string> parse_namespace(std::string_view text) {
    if (!is_namespace(text)) return fail(ErrorCode::invalid_argument, "must be the name of a namespace");
    return std::string(text);
}

Result<InjectionMode> parse_injection_mode(std::string_view text) {
    if (text == "Webhook") return InjectionMode::webhook;
    if (text == "Policy") return InjectionMode::policy;
    return fail(ErrorCode::invalid_argument, "must be Webhook or Policy");
}

void read_injection(Settings& settings, Config& config) {
    settings.read("injection-mode", config.injection_mode, parse_injection_mode);
    settings.read("proxy-image", config.proxy_image, parse_text);
    const bool is_missing = config.proxy_image.empty() && !settings.find("proxy-image");
    if (is_missing && config.injection_mode == InjectionMode::webhook) {
        settings.refuse("--proxy-image is missing: which image is to be injected? (the Helm chart says it)");
    }
    settings.read("image-pull-secrets", config.image_pull_secrets, parse_secrets);
    settings.read("webhook-tls-dir", config.webhook_tls_dir, parse_path);
    settings.read("ca-settle", config.ca_settle, parse_duration);
    settings.read("ca-overlap", config.ca_overlap, parse_duration);
}

void read_kubeconfig(Settings& settings, Config& config) {
    if (const auto file = settings.variable("KUBECONFIG")) config.kubeconfig = file->value;
    settings.read("kubeconfig", config.kubeconfig, parse_path);
}

void read_selftest(Settings& settings, Config& config) {
    read_kubeconfig(settings, config);
    settings.read("namespace", config.selftest_namespace, parse_namespace);
    settings.read("excluded-namespace", config.excluded_namespace, parse_namespace);
    settings.read("wait", config.selftest_wait, parse_duration);
}

void read_serving(Settings& settings, Config& config) {
    read_injection(settings, config);
    settings.read("watch-namespaces", config.watch_namespaces, parse_namespaces);
    read_kubeconfig(settings, config);
    settings.read("webhook-port", config.webhook_port, parse_port);
    settings.read("metrics-port", config.metrics_port, parse_port);
    settings.read("probe-port", config.probe_port, parse_port);
    if (config.webhook_port == config.metrics_port || config.webhook_port == config.probe_port ||
        config.metrics_port == config.probe_port) {
        settings.refuse(fmt::format("--webhook-port {}, --metrics-port {} and --probe-port {} must differ",
                                    config.webhook_port, config.metrics_port, config.probe_port));
    }
    settings.read("log-level", config.log_level, log::parse_level);
    settings.read("log-format", config.log_format, log::parse_format);
}

void read_manifest(Settings& settings, Config& config) {
    settings.read("file", config.manifest, parse_text);
    if (config.manifest.empty() && !settings.flag("file")) {
        settings.refuse("resolve: -f FILE is missing; - is standard input");
    }
}

void read_google(Settings& settings, Config& config) {
    if (const auto base = settings.variable("CVP_GOOGLE_API_BASE")) {
        config.api_is_overridden = true;
        if (const auto origin = parse_api_base(base->value)) {
            config.api = *origin;
        } else {
            settings.refuse(*base, origin.error().context);
        }
    }
    const auto metadata_host = settings.variable("GCE_METADATA_HOST");
    if (auto origin = metadata::parse_host(metadata_host ? metadata_host->value : "")) {
        config.metadata_server = std::move(*origin);
    } else {
        settings.refuse(origin.error().context);
    }
}

Action action_of(const CommandLine& line) {
    if (line.wants_help) return Action::help;
    if (line.wants_version || line.subcommand == "version") return Action::version;
    if (line.subcommand == "selftest") return Action::selftest;
    return line.subcommand == "resolve" ? Action::resolve : Action::serve;
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
    if (command.action == Action::serve) read_serving(settings, command.config);
    if (command.action == Action::resolve) read_manifest(settings, command.config);
    if (command.action == Action::selftest) read_selftest(settings, command.config);
    if (command.action != Action::version) read_google(settings, command.config);
    if (!faults.empty()) return tl::unexpected(std::move(faults));
    return command;
}

}  // namespace cvp::op
