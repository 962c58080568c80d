#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/async/asio.hpp"
#include "common/contract/resolved_connection.hpp"
#include "proxy/upstream/stats.hpp"

/// What the proxy knows of itself at one moment, copied out of the parts that know it: what /status, /metrics and the
/// probes are answered from. Plain values, no secret among them.
namespace cvp::proxy {

struct PortView {
    EndpointRole role = EndpointRole::primary;
    std::string address;      ///< "127.0.0.1:6379", IPv6 in brackets
    std::string unix_socket;  ///< its path; "": none
    bool has_tls = false;     ///< TCP clients do a TLS handshake with us
    PortStats stats;
    UpstreamState upstream;
};

struct ConnectionView {
    std::string name;
    std::vector<PortView> ports;  ///< the primary's first

    std::optional<ResolvedConnection> document;  ///< nothing while it is not resolved
    std::uint64_t generation = 0;                ///< documents followed so far
    std::optional<SystemClock::time_point> changed_at;
    std::uint64_t rejected = 0;  ///< documents refused so far
    std::string last_rejection;  ///< "" while the newest document is in use
};

struct TokensView {
    std::string scope;                                  ///< "" for the metadata server's default scopes
    std::optional<SystemClock::time_point> expires_at;  ///< of the token in use; nothing if there is none
    std::uint64_t refreshes = 0;
    std::uint64_t failures = 0;
    std::string last_error;
};

/// How the lone proxy's resolver fares.
struct ResolverView {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::optional<SystemClock::time_point> last_success_at;
    std::string last_error;   ///< "" after a success
    std::string last_reason;  ///< its providers::Reason, in words
    std::string instance;     ///< full name, once it is known
};

/// The files that flags name about clients.
struct ListenFilesView {
    std::uint64_t errors = 0;
    std::string last_error;                             ///< "" while what is on disk is in use
    std::optional<SystemClock::time_point> expires_at;  ///< of our own certificate
    bool demands_certificate = false;
};

struct View {
    SteadyClock::time_point now;
    SteadyClock::time_point started;
    SystemClock::time_point started_at;
    SteadyClock::time_point last_turn;  ///< of the data path's loop
    bool draining = false;
    std::size_t sessions = 0;
    std::string identity_email;
    std::string identity_warning;
    std::vector<TokensView> tokens;
    std::vector<ConnectionView> connections;
    std::optional<ResolverView> resolver;         ///< only with --instance
    std::optional<ListenFilesView> listen_files;  ///< only where a flag names one
};

}  // namespace cvp::proxy
