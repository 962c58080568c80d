#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/contract/resolved_connection.hpp"
#include "common/secret.hpp"
#include "common/tls/options.hpp"
#include "proxy/session/client_policy.hpp"
#include "proxy/session/local_error.hpp"
#include "proxy/session/relogin.hpp"

namespace cvp::proxy {

/// Where the token or password of a login comes from. It is pulled at the moment when the AUTH bytes are written, never
/// fetched inline: a background task of the application keeps it fresh.
///
/// Owner: shared between the application and the targets that log in with it. Called on the main loop.
class LoginSource {
public:
    virtual ~LoginSource() = default;

    /// The secret to log in with now, or nothing while there is none.
    virtual std::optional<Secret> password() = 0;

    /// Why password() has nothing: usually NoToken and what to do about it.
    virtual LocalError why_not() = 0;

    /// The server refused the password of the last login: a good time to get a new one. Called once per refusal, never
    /// from within password().
    virtual void refused() = 0;
};

/// What to dial and how to log in.
struct Target {
    Endpoint endpoint;                      ///< IP literal or DNS name (resolved again for every dial)
    std::optional<tls::ClientOptions> tls;  ///< nothing: plain TCP
    std::string username;                   ///< empty: AUTH with one argument
    std::shared_ptr<LoginSource> login;     ///< null: no AUTH is sent
    std::optional<AgeLimits> age;           ///< how old a login may become; nothing: as old as it likes
    std::size_t spares = 1;                 ///< connections that are kept ready for clients to come

    /// Whether a connection to `other` would be one to the same server, found and verified in the same way.
    bool leads_to_same(const Target& other) const { return endpoint == other.endpoint && tls == other.tls; }
};

/// Where the clients of one port go, replaced as a whole. A LocalError is never dialled: each client's first bytes are
/// answered with it.
struct Destination {
    std::variant<LocalError, Target> to;
    std::chrono::milliseconds connect_hold{1500};  ///< how long first bytes wait for an upstream connection
    std::size_t max_connections = 10000;           ///< open clients of this port
    ClientPolicy clients = {};                     ///< what they must show
};

}  // namespace cvp::proxy
