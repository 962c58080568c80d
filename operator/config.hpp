#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/config/settings.hpp"
#include "common/contract/names.hpp"
#include "common/http/url.hpp"
#include "common/log/log.hpp"

namespace cvp::op {

/// Who puts the sidecar into pods.
enum class InjectionMode {
    webhook,  ///< this program, called by the API server
    policy,   ///< a MutatingAdmissionPolicy of the chart, evaluated by the API server (1.36 and up)
};

/// Everything that is fixed while the operator runs. Parsed whole and frozen before any port is bound.
struct Config {
    InjectionMode injection_mode = InjectionMode::webhook;
    std::string proxy_image;                      ///< empty in policy mode
    std::vector<std::string> image_pull_secrets;  ///< names, appended to the injected pod's list
    std::vector<std::string> watch_namespaces;    ///< empty: all
    std::filesystem::path kubeconfig;             ///< empty: as a pod
    std::filesystem::path webhook_tls_dir;  ///< of a given certificate (tls.crt, tls.key); empty: made by ourselves
    std::chrono::milliseconds ca_settle = std::chrono::seconds(60);  ///< new CA in the live caBundle → leaf of it
    std::chrono::milliseconds ca_overlap = std::chrono::hours(1);    ///< new leaf → old CA leaves the caBundle
    std::uint16_t webhook_port = names::kWebhookPort;
    std::uint16_t metrics_port = 8080;
    std::uint16_t probe_port = 8081;
    log::Level log_level = log::Level::info;
    log::Format log_format = log::Format::json;

    std::string manifest;                        ///< of resolve; "-": standard input
    std::string selftest_namespace = "default";  ///< of selftest: where pods are injected
    std::string excluded_namespace;              ///< of selftest: where they are not; empty: not asked
    std::chrono::milliseconds selftest_wait = std::chrono::seconds(60);
    http::Origin api{true, "memorystore.googleapis.com", 443};
    bool api_is_overridden = false;  ///< CVP_GOOGLE_API_BASE was set: for tests
    http::Origin metadata_server;

    bool operator==(const Config&) const = default;
};

enum class Action { serve, resolve, selftest, version, help };

/// What the command line asks for.
struct Command {
    Action action = Action::serve;
    Config config;          ///< for all but version and help
    std::string help_text;  ///< for help
};

/// Reads flags and environment, flags first. Pure: no file is opened, no system is asked.
/// @param arguments without the program's name
/// @param environment CVP_*, KUBECONFIG, GCE_METADATA_HOST
tl::expected<Command, Faults> parse_command(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace cvp::op
