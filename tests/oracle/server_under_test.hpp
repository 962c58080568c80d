#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::oracle {

/// The one server of a run. Hash tables are seeded per process, so only passes over one process can be compared.
///
/// Direct passes reach it by its unix socket, as a server that wants no password; a proxy reaches it by TLS and must
/// log in. So a proxy that forgets to log in again after RESET shows.
class ServerUnderTest {
public:
    /// @param command starts a valkey-server, the configuration file is added to it
    static Result<ServerUnderTest> start(const std::vector<std::string>& command);

    const test::TestCa& ca() const { return *ca_; }
    std::uint16_t tls_port() const { return server_->port(); }
    std::filesystem::path socket() const { return dir_->path() / "admin.sock"; }
    const Secret& password() const { return password_; }
    test::ValkeyServer& server() { return *server_; }

    /// As if newly started: no data, no scripts, no users, no clients of the last pass that could still do anything.
    /// @errors `timeout` when clients of the last pass stay
    Result<void> clean(bool wants_password);
    /// How many clients are blocked now.
    Result<std::size_t> blocked_clients();
    /// Makes the event loop turn: at hz 1 the server looks at timeouts only when something happens.
    void poke();
    /// CLIENT LIST, for a report.
    std::string clients();
    /// What the log of a server that crashed says of the client that it served, "" while it runs.
    std::string crash();
    /// How often a command was called since clean().
    std::uint64_t calls(const std::string& command);

private:
    ServerUnderTest() = default;
    Result<std::map<std::string, std::uint64_t>> client_counts();

    std::unique_ptr<test::TempDir> dir_;
    std::unique_ptr<test::TestCa> ca_;
    Secret password_{"oracle-password"};
    std::unique_ptr<test::ValkeyServer> server_;
};

}  // namespace cvp::oracle
