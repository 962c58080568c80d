#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/async/asio.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"
#include "proxy/loop/tls_server_profile.hpp"

namespace cvp::proxy {

/// The files that flags name about clients; an empty path: none.
struct ListenFileNames {
    std::filesystem::path certificate;  ///< --listen-cert
    std::filesystem::path key;          ///< --listen-key
    std::filesystem::path client_ca;    ///< --listen-client-ca
    std::filesystem::path password;     ///< --client-password-file

    bool has_tls() const { return !certificate.empty(); }
    bool empty() const { return !has_tls() && password.empty(); }

    bool operator==(const ListenFileNames&) const = default;
};

/// What those files hold: read at the start, when they must be good, and again whenever asked. What cannot be used then
/// is reported and counted once for each new fault, and the last good is shown on.
///
/// Owner: the App. Main loop only.
class ListenFiles {
public:
    explicit ListenFiles(ListenFileNames names) : names_(std::move(names)) {}

    /// The first reading.
    /// @errors as load_file(), invalid_argument: certificate, key, client CA or password cannot be used
    Result<void> load();

    /// Reads again, compares, and takes over what changed.
    /// @return whether the clients' password is another one now; a new certificate is shown without further ado
    bool reload();

    const ListenFileNames& names() const { return names_; }
    /// What TLS listeners show; null without --listen-cert.
    const std::shared_ptr<TlsServerProfile>& tls() const { return tls_; }
    const std::optional<Secret>& password() const { return password_; }
    /// Of our own certificate; nothing without one.
    std::optional<SystemClock::time_point> expires_at() const { return expires_at_; }

    std::uint64_t errors() const { return errors_; }
    const std::string& last_error() const { return last_error_; }  ///< "" while what is on disk is in use

private:
    Result<void> load_tls();
    Result<bool> load_password();

    ListenFileNames names_;
    tls::ServerOptions shown_;
    std::shared_ptr<TlsServerProfile> tls_;
    std::optional<Secret> password_;
    std::optional<SystemClock::time_point> expires_at_;
    std::uint64_t errors_ = 0;
    std::string last_error_;
};

}  // namespace cvp::proxy
