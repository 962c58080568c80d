#pragma once

// Installed as <cvp/proxy.hpp>: needs nothing but the standard library.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cvp {

/// The proxy inside a C++ program: a plain Valkey on 127.0.0.1, at a port of its own, for as long as the object lives.
///
/// It is what cloud-valkey-proxy is, on a thread of its own: the same flags, the same answers, TLS, IAM login and
/// re-login. What differs: ports are free ones unless --port and --readers-port name some, there is no admin server
/// unless --admin-listen says so, no environment variable is read but GCE_METADATA_HOST and CVP_GOOGLE_API_BASE, and no
/// signal is handled. --log-level and --log-format are those of the first one in the process. The process's limit of
/// open files is raised to what it may have.
///
/// All members may be called from any thread.
class EmbeddedProxy {
public:
    /// Binds the ports and begins; whether the server can be reached shows later (wait_until_ready()).
    /// @param flags of cloud-valkey-proxy: {"--instance=my-valkey", "--log-level=warn"}
    /// @throws std::invalid_argument with every fault of the flags or of a document
    /// @throws std::runtime_error if a port cannot be bound
    explicit EmbeddedProxy(const std::vector<std::string>& flags);
    /// stop().
    ~EmbeddedProxy();
    EmbeddedProxy(const EmbeddedProxy&) = delete;
    EmbeddedProxy& operator=(const EmbeddedProxy&) = delete;

    /// Of the first connection's primary.
    std::uint16_t port() const;

    /// Waits until every connection has been logged in.
    /// @return "", or why not
    std::string wait_until_ready(std::chrono::milliseconds limit = std::chrono::seconds(15)) const;

    /// What GET /status answers: JSON.
    std::string status() const;

    /// Takes no new clients, waits for those that are there (--max-drain), ends. Does nothing a second time.
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp
