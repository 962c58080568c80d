#pragma once

#include <optional>

#include "common/contract/resolved_connection.hpp"
#include "common/secret.hpp"

namespace cvp::proxy {

/// What clients of a port must show before the server hears them. Replaced as a whole, with the Destination; a session
/// keeps the one that it began with.
///
/// Accept: nobody is asked; AUTH, and HELLO's AUTH, are answered here with what the server answers to a login that is
/// right, and go no further. Require: -NOAUTH, as from a server, until AUTH or HELLO names the password. Reject:
/// whoever logs in is refused as by a server that knows neither user nor password.
struct ClientPolicy {
    ClientAuth mode = ClientAuth::accept;
    /// For Require. The user that comes with it is "default" or none. Nothing while its file is not there: then no
    /// login is right.
    std::optional<Secret> password;
    /// For Require: who came this far is let in as if it had logged in. True where client certificates are demanded
    /// and there is no password: TCP clients then showed a certificate in the handshake, before the session began, and
    /// the unix socket is guarded by the mode of its file.
    bool certificate_is_enough = false;

    /// Whether a client must log in before its commands are served.
    bool asks_for_login() const { return mode == ClientAuth::require && !certificate_is_enough; }

    bool operator==(const ClientPolicy&) const = default;
};

}  // namespace cvp::proxy
