#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/asio.hpp"
#include "common/metrics/histogram.hpp"
#include "proxy/resp/command_table.hpp"
#include "proxy/session/local_error.hpp"

namespace cvp::proxy {

/// Error replies of the server's that are counted by their code; all others are `other`.
enum class ServerError : std::uint8_t {
    other,
    moved,
    ask,
    readonly,
    loading,
    master_down,
    cluster_down,
    try_again,
    busy,
    oom,
    no_auth,
    wrong_pass,
    no_perm,
};
inline constexpr std::size_t kServerErrors = 13;

/// Reads the code of an error reply: "-READONLY You can't write …".
ServerError classify_server_error(std::string_view head);
/// The code as servers write it: "READONLY"; "other".
std::string_view to_string(ServerError error);

metrics::Histogram make_latency_histogram();

/// What happened at one port since the process began. Plain counters of the main loop; they only grow, but for
/// `*_open`.
struct PortStats {
    std::uint64_t clients_total = 0;          ///< accepted
    std::uint64_t clients_unix = 0;           ///< of those, over the unix socket
    std::uint64_t clients_open = 0;           ///< now
    std::uint64_t clients_refused = 0;        ///< over max_connections
    std::uint64_t greetings_ok = 0;           ///< TLS handshakes of clients
    std::uint64_t greetings_certificate = 0;  ///< … that failed because of the client's certificate, or lack of one
    std::uint64_t greetings_failed = 0;       ///< … for another reason
    std::uint64_t accept_failures = 0;        ///< EMFILE and its kin, each followed by a pause of 100 ms
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

    std::vector<std::uint64_t> commands = std::vector<std::uint64_t>(kCommands);  ///< by CommandInfo::index
    metrics::Histogram latency = make_latency_histogram();     ///< seconds from a command's last byte to its reply's
    std::vector<metrics::Histogram> latency_by_command;        ///< by CommandInfo::index; empty: not asked for
    std::array<std::uint64_t, kServerErrors> server_errors{};  ///< passed to clients, by ServerError
    std::uint64_t relogins_ok = 0;                             ///< AUTH on a connection in use
    std::uint64_t relogins_refused = 0;
    std::map<std::string_view, std::uint64_t> relogins_missed;  ///< by reason: not done before the deadline
    std::map<std::string_view, std::uint64_t>
        clients_cut;             ///< by reason: ended because their server had ended or changed
    std::uint64_t moves_ok = 0;  ///< clients that went on on another connection, unnoticed
    std::uint64_t moves_failed = 0;
    std::uint64_t resumes = 0;  ///< of those, because the server had ended the old one
    std::uint64_t opaque = 0;   ///< clients whose bytes were not understood from some point on
    std::uint64_t lost = 0;     ///< clients ended because what came next could not be told
};

/// What is known about the server behind one port: for /status, /readyz and /startup.
struct UpstreamState {
    std::size_t spares = 0;     ///< logged in and waiting for a client
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
