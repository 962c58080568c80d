#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"
#include "tests/support/canary.hpp"
#include "tests/support/process.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::test {

/// How to start a cloud-valkey-proxy.
struct ProxyOptions {
    std::filesystem::path binary;
    std::vector<std::string> arguments;  ///< beside --port, --admin-listen and --log-level
    std::vector<std::string> env;
    std::filesystem::path log_file;
    std::string log_level = "debug";  ///< so that a search of its log sees all that it may say
};

/// A running cloud-valkey-proxy on free ports.
///
/// Owner: a test; the proxy ends with the object.
class ProxyProcess {
public:
    /// Starts it and waits until its admin port answers, whatever it answers.
    /// @errors as Process::start; `unavailable` with the end of its log if it ended or stays silent
    static Result<ProxyProcess> start(const ProxyOptions& options);

    std::uint16_t port() const { return port_; }
    std::uint16_t readers_port() const { return readers_port_; }
    std::uint16_t admin_port() const { return admin_port_; }
    Process& process() { return process_; }

    /// A plain client's connection to the primary's port.
    Result<RespClient> connect() const { return RespClient::connect("127.0.0.1", port_); }
    /// One command on a connection of its own: the reply's text, or the error's.
    std::string ask(const std::vector<std::string>& words,
                    std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
    /// All that a client gets that sends PING: the bytes up to the end of the stream or of `limit`.
    std::string ping_bytes(std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

    /// GET of the admin port: its body, or "" with any status but 200 (or none).
    std::string page(const std::string& path) const;
    nlohmann::json status() const;
    /// Sum of the samples of a metric that have all these labels, each as `name="value"`.
    double metric(const std::string& name, const std::vector<std::string>& labels = {}) const;
    /// Whether /startup says 200.
    bool is_started() const;

    /// "RssAnon", "VmRSS", … of /proc/PID/status, in bytes.
    std::size_t memory(const std::string& field) const;

    /// All that it shows to the world: log, /status, /metrics, health pages, argv.
    std::vector<Evidence> evidence() const;

private:
    explicit ProxyProcess(Process process) : process_(std::move(process)) {}

    static Result<ProxyProcess> start_once(const ProxyOptions& options);

    Process process_;
    std::uint16_t port_ = 0;
    std::uint16_t readers_port_ = 0;
    std::uint16_t admin_port_ = 0;
};

}  // namespace cvp::test
