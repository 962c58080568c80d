#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"
#include "tests/support/process.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::test {

/// Certificate, key and the CA that clients (and replicas) trust.
struct ValkeyIdentity {
    std::string certificate_pem;
    Secret key_pem;
    std::string ca_pem;
};

struct ValkeyOptions {
    std::vector<std::string> command = {"valkey-server"};  ///< what starts it; the configuration file is added
    std::filesystem::path dir;             ///< exists; configuration, log, dump and admin socket live there
    std::string bind = "127.0.0.1";        ///< one or more addresses, separated by spaces
    std::uint16_t port = 0;                ///< 0: any free one
    std::optional<ValkeyIdentity> tls;     ///< without it the port is plain
    bool require_password = true;          ///< the default user must log in; false: it needs no password
    std::vector<Secret> passwords;         ///< of the default user; none with require_password: nobody gets in
    std::optional<Secret> admin_password;  ///< of the user `admin`; default: a random one
    std::optional<std::pair<std::string, std::uint16_t>> replica_of;  ///< a server with the same admin password
    std::vector<std::string> extra_lines;                             ///< of valkey.conf
};

/// A real valkey-server: with TLS its plain port is closed, and its default user has the passwords of the moment.
///
/// Owner: a test or the emulator; the server ends with the object. Calls block for some milliseconds. The administrator
/// comes in through a unix socket as user `admin`, so that what he does is no part of what is tested.
class ValkeyServer {
public:
    /// Starts it and returns once it answers.
    /// @errors `not_found` without valkey-server on PATH; `unavailable` with the log's last lines
    static Result<ValkeyServer> start(ValkeyOptions options);

    std::uint16_t port() const { return port_; }
    pid_t pid() const { return process_ ? process_->pid() : -1; }
    bool is_running() { return process_ && process_->is_running(); }
    const Secret& admin_password() const { return *options_.admin_password; }
    std::filesystem::path log_file() const { return options_.dir / "valkey.log"; }

    /// Runs a command as `admin`. An error reply is a value.
    Result<RespReply> admin(const std::vector<std::string>& words);
    /// As admin(), with an error reply as an error.
    Result<std::string> admin_text(const std::vector<std::string>& words);

    /// Adds a password of the default user; from now on it logs in. Survives restarts.
    Result<void> allow(const Secret& password);
    /// Takes it away; sessions that logged in with it go on.
    Result<void> refuse(const Secret& password);
    /// Lets the default user in without (false) or only with a password of the list (true).
    Result<void> require_password(bool required);
    /// Shows another certificate from the next handshake on. Without effect on a plain server.
    Result<void> show(ValkeyIdentity identity);

    void kill();            ///< SIGKILL
    void pause();           ///< SIGSTOP: the kernel still accepts for it, nobody answers
    Result<void> resume();  ///< SIGCONT
    /// Ends it if it runs and starts it again; unless it is paused, with everything that it has acknowledged.
    /// @param port the new port; 0: any free one; nullopt: as before
    Result<void> restart(std::optional<std::uint16_t> port = std::nullopt);
    /// With effect from the next start.
    ValkeyOptions& options() { return options_; }

private:
    /// Whether it runs and is not paused, so that the administrator gets an answer.
    bool answers() { return is_running() && !paused_; }
    explicit ValkeyServer(ValkeyOptions options) : options_(std::move(options)) {}

    Result<void> launch(std::uint16_t port);
    Result<void> wait_until_ready();
    Result<void> write_files() const;

    ValkeyOptions options_;
    std::uint16_t port_ = 0;
    std::optional<Process> process_;
    std::optional<RespClient> admin_;
    bool paused_ = false;
};

/// A TCP port of `host` that nobody listens on at this moment.
Result<std::uint16_t> free_port(const std::string& host = "127.0.0.1");

}  // namespace cvp::test
