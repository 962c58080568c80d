#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/contract/resolved_connection.hpp"
#include "tests/support/proxy_process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {

/// What to put before what.
struct ProxiedValkeyOptions {
    std::filesystem::path proxy_binary = {};
    bool tls = true;                             ///< between proxy and server
    std::vector<std::string> server_lines = {};  ///< of valkey.conf
    ProxySettings proxy = {};                    ///< of the document
    std::string username = {};                   ///< who the proxy logs in as; empty: AUTH with one argument
    std::vector<std::string> proxy_arguments = {};
};

/// A real Valkey that wants a password, and the real proxy before it that logs in with it, by a document and a password
/// file as they are mounted into a sidecar. The application needs neither.
///
/// Owner: a test; both end with the object. Everything throws std::runtime_error where it cannot be had.
class ProxiedValkey {
public:
    static constexpr auto kPassword = "correct-horse";

    explicit ProxiedValkey(ProxiedValkeyOptions options);

    ValkeyServer& server() { return *server_; }
    ProxyProcess& proxy() { return *proxy_; }
    const TestCa& ca() const { return ca_; }

    /// The document that leads to host:port, in full verification where the server has TLS. The server listens on
    /// 127.0.0.1 and 127.0.0.2, and its certificate names both.
    ResolvedConnection document(std::uint16_t port, const std::string& host = "127.0.0.1") const;
    /// Makes it the proxy's connection.yaml, in one step, as the kubelet would.
    void write(const ResolvedConnection& connection) const;
    void write_password(const std::string& password) const;

    /// Starts the proxy and waits until its first login is done.
    void start_proxy() { start_proxy(document(server_->port())); }
    void start_proxy(const ResolvedConnection& connection);
    /// The same without waiting: for a server that is not there.
    void start_proxy_alone(const ResolvedConnection& connection);

    /// A new connection of the application. Throws.
    RespClient connect() const;

    /// A command of the administrator, as one line of text; he is on a unix socket of the server.
    std::string admin(const std::vector<std::string>& words);
    /// The value of `field:` in INFO, "" without one.
    std::string info(const std::string& field);
    /// Waits until so many clients block on the server.
    bool await_blocked(int count);

    const std::filesystem::path& dir() const { return dir_.path(); }

private:
    void replace(const std::string& name, const std::string& content) const;

    ProxiedValkeyOptions options_;
    TempDir dir_;
    TestCa ca_;
    std::optional<ValkeyServer> server_;
    std::optional<ProxyProcess> proxy_;
};

}  // namespace cvp::test
