#pragma once

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

/// Everything that is fixed while the operator runs. Parsed whole and frozen before any port is bound.
struct Config {
    std::string proxy_image;
    std::vector<std::string> watch_namespaces;  ///< empty: all
    std::filesystem::path kubeconfig;           ///< empty: as a pod
    std::uint16_t webhook_port = names::kWebhookPort;
    std::uint16_t metrics_port = 8080;
    std::uint16_t probe_port = 8081;
    log::Level log_level = log::Level::info;
    log::Format log_format = log::Format::json;

    std::string manifest;  ///< of resolve; "-": standard input
    http::Origin api{true, "memorystore.googleapis.com", 443};
    bool api_is_overridden = false;  ///< CVP_GOOGLE_API_BASE was set: for tests
    http::Origin metadata_server;

    bool operator==(const Config&) const = default;
};

enum class Action { serve, resolve, version, help };

/// What the command line asks for.
struct Command {
    Action action = Action::serve;
    Config config;          ///< for serve and resolve
    std::string help_text;  ///< for help
};

/// Reads flags and environment, flags first. Pure: no file is opened, no system is asked.
/// @param arguments without the program's name
/// @param environment CVP_*, KUBECONFIG, GCE_METADATA_HOST
tl::expected<Command, Faults> parse_command(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace cvp::op
