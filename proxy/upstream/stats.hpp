#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "common/async/asio.hpp"
#include "proxy/session/local_error.hpp"

namespace cvp::proxy {

/// What happened at one port since the process began. Plain counters of the main loop; they only grow, but for
/// `*_open`.
struct PortStats {
    std::uint64_t clients_total = 0;    ///< accepted
    std::uint64_t clients_open = 0;     ///< now
    std::uint64_t clients_refused = 0;  ///< over max_connections
    std::uint64_t accept_failures = 0;  ///< EMFILE and its kin, each followed by a pause of 100 ms
    std::uint64_t bytes_from_clients = 0;
    std::uint64_t bytes_to_clients = 0;

    std::uint64_t upstream_open = 0;        ///< logged in and in use, now
    std::uint64_t dials_total = 0;          ///< started, background proofs included
    std::uint64_t dials_failed = 0;         ///< before TLS: name, connect, deadline
    std::uint64_t handshakes_ok = 0;        ///< verified as far as the options ask for
    std::uint64_t handshakes_resumed = 0;   ///< of those, by a ticket
    std::uint64_t handshakes_chain = 0;     ///< refused by us: chain, dates
    std::uint64_t handshakes_identity = 0;  ///< refused by us: identity
    std::uint64_t handshakes_failed = 0;    ///< version, alert, cut short
    std::uint64_t logins_ok = 0;
    std::uint64_t logins_refused = 0;
    std::uint64_t logins_throttled = 0;
    std::uint64_t logins_failed = 0;  ///< cut short, out of time, or an answer that makes no sense

    std::array<std::uint64_t, kCauses> local_errors{};  ///< answered to clients, by Cause
};

/// What is known about the server behind one port: for /status, /readyz and /startup.
struct UpstreamState {
    bool cooling_down = false;  ///< new clients are answered at once, dials go on in the background
    std::optional<SteadyClock::time_point> last_success;  ///< newest dial that ended logged in, to this destination
    std::optional<SystemClock::time_point> last_success_at;
    std::optional<LocalError> last_error;  ///< newest failed dial, to this destination
    std::optional<SystemClock::time_point> last_error_at;
    std::string peer;               ///< "10.0.0.3:6379" of the last success
    std::string tls_version;        ///< "TLSv1.3", empty without TLS
    std::string verified_identity;  ///< what matched: "ip:10.0.0.3", "dns:…"; empty where identity is not verified
};

}  // namespace cvp::proxy
