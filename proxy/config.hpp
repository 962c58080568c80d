#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/config/settings.hpp"
#include "common/contract/names.hpp"
#include "common/http/url.hpp"
#include "common/log/log.hpp"
#include "proxy/client_rules.hpp"
#include "proxy/listen_files.hpp"
#include "proxy/loop/unix_socket.hpp"
#include "proxy/session/relogin.hpp"

namespace cvp::proxy {

/// Where one connection's clients come in.
struct LocalPorts {
    std::uint16_t primary = names::kFirstPort;
    std::optional<std::uint16_t> readers;
    /// Readers' port is a default that nobody wrote: it is opened only once the connection has a reader.
    bool readers_on_demand = false;
    std::optional<UnixSocketOptions> unix_socket = std::nullopt;  ///< of the primary, beside its port

    bool operator==(const LocalPorts&) const = default;
};

/// A connection whose document is a file: --connection and --config.
struct DocumentSource {
    std::string name;  ///< what the document must be called; empty (--config): whatever it says
    std::filesystem::path file;
    LocalPorts ports;

    bool operator==(const DocumentSource&) const = default;
};

/// A connection that the proxy resolves itself: --instance.
struct InstanceSource {
    std::string type = "valkey";
    std::string instance;  ///< short name or "projects/P/locations/L/instances/I"
    std::string project;   ///< empty: asked of the metadata server, as is location
    std::string location;
    std::chrono::milliseconds refresh_interval = std::chrono::hours(1);
    http::Origin api{true, "memorystore.googleapis.com", 443};
    bool api_is_overridden = false;  ///< CVP_GOOGLE_API_BASE was set: for tests
    LocalPorts ports;

    bool operator==(const InstanceSource&) const = default;
};

/// How the doctor answers, and how long it waits for servers.
struct DoctorOptions {
    bool as_json = false;
    std::chrono::milliseconds wait = std::chrono::seconds(15);

    bool operator==(const DoctorOptions&) const = default;
};

/// Everything that is fixed while the proxy runs. Parsed whole and frozen before any port is bound.
struct Config {
    std::vector<DocumentSource> documents;  ///< or instance: never both
    std::optional<InstanceSource> instance;
    std::string listen = "127.0.0.1";  ///< IP literal without brackets
    ListenFileNames listen_files;
    ClientRules clients;
    std::optional<http::ListenAddress> admin = http::ListenAddress{"127.0.0.1", names::kAdminPort};  ///< or off
    http::Origin metadata_server;
    std::chrono::milliseconds min_drain{0};
    std::chrono::milliseconds max_drain = std::chrono::seconds(10);
    log::Level log_level = log::Level::info;
    log::Format log_format = log::Format::json;
    bool latency_by_command = false;
    std::string notify_socket;           ///< NOTIFY_SOCKET: the service manager's; empty: none
    std::optional<AgeLimits> login_age;  ///< CVP_TEST_RELOGIN_EVERY, CVP_TEST_LOGIN_DEADLINE: for tests

    bool owns_process = true;  ///< not where it is a part of another program, whose are signals and memory
    DoctorOptions doctor;      ///< of doctor

    bool operator==(const Config&) const = default;
};

enum class Action { serve, doctor, probe_startup, probe_ready, version, help };

/// What the command line asks for.
struct Command {
    Action action = Action::serve;
    Config config;          ///< for serve and doctor; for a probe only `admin`
    std::string help_text;  ///< for help
};

/// Reads flags and environment, flags first. Pure: no file is opened, no system is asked.
/// @param arguments without the program's name
/// @param environment CVP_*, VALKEY_INSTANCE_NAME, GCE_METADATA_HOST, NOTIFY_SOCKET
tl::expected<Command, Faults> parse_command(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace cvp::proxy
