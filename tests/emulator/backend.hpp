#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"
#include "tests/emulator/front.hpp"
#include "tests/emulator/instance_request.hpp"
#include "tests/emulator/state.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::emulator {

/// The real Valkeys behind one instance: a primary and, where asked for, a replica; their CA and certificates; a TLS
/// front before the primary, where asked for.
///
/// Owner: the emulator. Calls block while a server starts (some 30 ms). Its servers end with it.
class Backend {
public:
    /// Starts them in `dir`, whose old content goes.
    /// @param shared_ca the region's, for an instance with ca=shared; else a fresh one is made
    static Result<Backend> start(const InstanceRequest& request, const std::filesystem::path& dir,
                                 const test::TestCa* shared_ca, const std::vector<Secret>& logins);

    /// Where clients reach the primary: its front, if it has one.
    Address primary() const;
    Address reader() const;

    /// What certificateAuthority answers: a PEM for each CA, oldest first. Empty without TLS.
    std::vector<std::string> ca_chains() const;

    /// Makes exactly these passwords valid logins. Live sessions are not touched.
    Result<void> set_logins(const std::vector<Secret>& logins);

    /// The primary goes to another port (0: any free one) with its data; the old one is closed.
    Result<void> move(std::uint16_t port);
    /// Signs new leaves with a new CA. With keep_old the old CA stays in ca_chains().
    Result<void> rotate_ca(bool keep_old);
    /// Shows leaves that are wrong in some way, or signed by a CA that ca_chains() does not list.
    Result<void> show(test::Leaf leaf, bool foreign_ca);
    /// Follows the record: with or without TLS (restarts the servers), with or without passwords.
    Result<void> set_modes(bool has_tls, bool has_auth);

    test::ValkeyServer& primary_server() { return *primary_; }
    /// The replica, or nullptr.
    test::ValkeyServer* reader_server() { return replica_ ? &*replica_ : nullptr; }
    /// The front before the primary, or nullptr.
    Front* front() { return front_.get(); }

private:
    explicit Backend(InstanceRequest request) : request_(std::move(request)) {}

    std::vector<std::string> primary_ips() const;
    Result<void> start_front();
    /// Tells the front which logins are good, where its server is, and what to show.
    Result<void> follow_primary();
    Result<void> reconnect_replica();

    InstanceRequest request_;
    std::vector<test::TestCa> cas_;  ///< oldest first; the newest signs
    std::vector<Secret> logins_;
    std::optional<test::ValkeyServer> primary_;
    std::optional<test::ValkeyServer> replica_;
    std::unique_ptr<Front> front_;  ///< before the primary
};

/// Writes the real addresses and CAs of a served instance into its record.
void follow_backend(InstanceRecord& record, const Backend& backend);

}  // namespace cvp::emulator
