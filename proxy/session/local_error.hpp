#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cvp::proxy {

/// Why the proxy itself answers a client instead of the server. CONTRACT section 9.
enum class Cause {
    upstream_unreachable,  ///< refused, reset, timed out, no address, TLS cut short
    tls_identity,          ///< a trusted certificate, of somebody else
    tls_chain,             ///< a certificate that the instance's CA did not sign, or out of its dates
    login_refused,         ///< WRONGPASS and the like; see LocalError::is_transient for the grace after a first token
    login_throttled,       ///< the provider's login backend is over its quota or failing
    no_token,              ///< there is no token or password to log in with yet
    cluster_mode_not_supported,  ///< the instance is a cluster: never dialled
    no_reader,                   ///< a readers' port of a connection without readers
    not_resolved,                ///< the endpoint is not known yet
};

inline constexpr std::size_t kCauses = 9;

/// "UpstreamUnreachable", …: the words of the contract; also metric labels.
std::string_view to_string(Cause cause);

/// Whether time alone can heal it. LoginRefused is permanent by itself; its first five minutes are not (LocalError).
bool is_transient(Cause cause);

/// An answer of the proxy's own: which cause, and one sentence that names the remedy. Never holds a secret.
struct LocalError {
    Cause cause = Cause::upstream_unreachable;
    std::string sentence;
    bool transient = true;  ///< -LOADING (clients retry) or -ERR (they tell their user)

    bool operator==(const LocalError&) const = default;
};

/// Makes one whose class is that of its cause.
LocalError make_local_error(Cause cause, std::string sentence);

/// The RESP error line: "-LOADING cloud-valkey-proxy sessions: NotResolved: <sentence>\r\n". Control characters of the
/// sentence become spaces and it is cut at 400 bytes, so that the line is one line.
std::string render(const LocalError& error, std::string_view connection);

}  // namespace cvp::proxy
