#pragma once

#include "common/metrics/page.hpp"

/// Every metric of the proxy. The names are an interface: docs/metrics.md lists the same, and a test compares them.
///
/// Label `connection` is the connection's name, `role` is primary or reader, `scope` an OAuth scope.
namespace cvp::proxy::metric_names {

using metrics::Kind;
using metrics::Metric;

inline constexpr Metric kInfo{"cloudvalkey_proxy_info", Kind::gauge, "1; label version is the proxy's."};
inline constexpr Metric kStartTime{"cloudvalkey_proxy_start_time_seconds", Kind::gauge,
                                   "When the process began, in seconds since 1970."};
inline constexpr Metric kDraining{"cloudvalkey_proxy_draining", Kind::gauge, "1 after SIGTERM, else 0."};

inline constexpr Metric kClientsOpen{"cloudvalkey_proxy_clients_open", Kind::gauge, "Client connections open now."};
inline constexpr Metric kClients{"cloudvalkey_proxy_clients_total", Kind::counter, "Client connections accepted."};
inline constexpr Metric kUnixClients{"cloudvalkey_proxy_unix_clients_total", Kind::counter,
                                     "Client connections accepted over the unix socket; absent where there is none."};
inline constexpr Metric kClientsRefused{"cloudvalkey_proxy_clients_refused_total", Kind::counter,
                                        "Client connections refused because of maxConnections."};
inline constexpr Metric kClientTls{
    "cloudvalkey_proxy_client_tls_handshakes_total", Kind::counter,
    "TLS handshakes of clients; label result is ok, certificate (the client's is missing or "
    "not accepted) or failed; absent where clients are plain."};
inline constexpr Metric kAcceptFailures{"cloudvalkey_proxy_accept_failures_total", Kind::counter,
                                        "Failures of accept, such as no descriptor left."};
inline constexpr Metric kReceivedBytes{"cloudvalkey_proxy_client_received_bytes_total", Kind::counter,
                                       "Bytes received from clients."};
inline constexpr Metric kSentBytes{"cloudvalkey_proxy_client_sent_bytes_total", Kind::counter,
                                   "Bytes sent to clients."};
inline constexpr Metric kLocalErrors{"cloudvalkey_proxy_local_errors_total", Kind::counter,
                                     "Clients answered by the proxy instead of the server, by cause."};

inline constexpr Metric kCommandsSeen{"cloudvalkey_proxy_commands_total", Kind::counter,
                                      "Commands received; label command is a name of the built-in table, or other."};
inline constexpr Metric kLatency{"cloudvalkey_proxy_command_duration_seconds", Kind::histogram,
                                 "Time from a command's arrival to the end of its reply, at the proxy."};
inline constexpr Metric kLatencyByCommand{"cloudvalkey_proxy_command_duration_by_command_seconds", Kind::histogram,
                                          "The same for each command, with --latency-by-command."};
inline constexpr Metric kErrorReplies{"cloudvalkey_proxy_server_errors_total", Kind::counter,
                                      "Error replies of the server's that were passed on; label code is the error's."};
inline constexpr Metric kOpaque{"cloudvalkey_proxy_opaque_clients_total", Kind::counter,
                                "Clients whose bytes are copied as they are from some point on: MONITOR, no RESP."};
inline constexpr Metric kLost{"cloudvalkey_proxy_lost_clients_total", Kind::counter,
                              "Clients closed because what came next from the server could not be told."};

inline constexpr Metric kUpstreamOpen{"cloudvalkey_proxy_upstream_connections_open", Kind::gauge,
                                      "Upstream connections logged in and in use now."};
inline constexpr Metric kDials{"cloudvalkey_proxy_dials_total", Kind::counter,
                               "Upstream connections begun, background proofs included."};
inline constexpr Metric kDialFailures{"cloudvalkey_proxy_dial_failures_total", Kind::counter,
                                      "Dials that failed before TLS: name, connect, deadline."};
inline constexpr Metric kTlsHandshakes{"cloudvalkey_proxy_tls_handshakes_total", Kind::counter,
                                       "TLS handshakes verified; label resumed says whether a ticket was used."};
inline constexpr Metric kTlsFailures{"cloudvalkey_proxy_tls_failures_total", Kind::counter,
                                     "TLS handshakes that failed; label reason is chain, identity or other."};
inline constexpr Metric kLogins{"cloudvalkey_proxy_logins_total", Kind::counter,
                                "Logins; label result is ok, refused, throttled or failed."};
inline constexpr Metric kSpares{"cloudvalkey_proxy_spare_connections", Kind::gauge,
                                "Upstream connections logged in and waiting for a client."};
inline constexpr Metric kRelogins{"cloudvalkey_proxy_relogins_total", Kind::counter,
                                  "Logins on connections in use; label result is ok or refused."};
inline constexpr Metric kReauthMissed{
    "cloudvalkey_proxy_reauth_missed_total", Kind::counter,
    "Connections that could not log in again before their deadline; label reason says why."};
inline constexpr Metric kClientsCut{
    "cloudvalkey_proxy_cut_clients_total", Kind::counter,
    "Clients ended because their server had ended or changed; label reason says why they could "
    "not go on elsewhere."};
inline constexpr Metric kMoves{"cloudvalkey_proxy_moves_total", Kind::counter,
                               "Clients moved to another upstream connection while theirs served; label result is ok "
                               "or failed."};
inline constexpr Metric kResumes{"cloudvalkey_proxy_resumes_total", Kind::counter,
                                 "Idle clients that went on on a new upstream connection after the server's end."};
inline constexpr Metric kCoolingDown{"cloudvalkey_proxy_upstream_cooling_down", Kind::gauge,
                                     "1 while new clients are answered at once because the server is not reached."};
inline constexpr Metric kLastSuccess{"cloudvalkey_proxy_upstream_last_success_timestamp_seconds", Kind::gauge,
                                     "When the server was last reached and logged in to."};

inline constexpr Metric kConfigGeneration{"cloudvalkey_proxy_config_generation", Kind::gauge,
                                          "Documents followed so far; 0 means not resolved yet."};
inline constexpr Metric kConfigChanged{"cloudvalkey_proxy_config_changed_timestamp_seconds", Kind::gauge,
                                       "When the newest document was taken over."};
inline constexpr Metric kConfigValid{"cloudvalkey_proxy_config_valid", Kind::gauge,
                                     "0 while the newest document is bad and an older one is in use, else 1."};
inline constexpr Metric kConfigRejected{"cloudvalkey_proxy_config_rejected_total", Kind::counter,
                                        "Documents that were bad and not taken over."};

inline constexpr Metric kIdentityUsable{"cloudvalkey_proxy_identity_usable", Kind::gauge,
                                        "0 if the pod's Google identity is one that the service cannot log in."};
inline constexpr Metric kTokenRefreshes{"cloudvalkey_proxy_token_refreshes_total", Kind::counter,
                                        "Tokens fetched from the metadata server."};
inline constexpr Metric kTokenFailures{"cloudvalkey_proxy_token_failures_total", Kind::counter,
                                       "Failed tries to fetch a token."};
inline constexpr Metric kTokenExpires{"cloudvalkey_proxy_token_expires_timestamp_seconds", Kind::gauge,
                                      "When the token in use expires; absent while there is none."};
inline constexpr Metric kListenFileErrors{
    "cloudvalkey_proxy_listen_file_errors_total", Kind::counter,
    "Times that a file of --listen-cert, --listen-key, --listen-client-ca or --client-password-file could not be used; "
    "what it held before is used on."};
inline constexpr Metric kListenExpires{"cloudvalkey_proxy_listen_certificate_expires_timestamp_seconds", Kind::gauge,
                                       "When the certificate of --listen-cert expires."};
inline constexpr Metric kResolves{"cloudvalkey_proxy_resolves_total", Kind::counter,
                                  "Resolves of --instance; label result is ok or failed."};

inline constexpr const Metric* kAll[] = {
    &kInfo,
    &kStartTime,
    &kDraining,
    &kClientsOpen,
    &kClients,
    &kUnixClients,
    &kClientsRefused,
    &kClientTls,
    &kAcceptFailures,
    &kReceivedBytes,
    &kSentBytes,
    &kLocalErrors,
    &kCommandsSeen,
    &kLatency,
    &kLatencyByCommand,
    &kErrorReplies,
    &kOpaque,
    &kLost,
    &kUpstreamOpen,
    &kDials,
    &kDialFailures,
    &kTlsHandshakes,
    &kTlsFailures,
    &kLogins,
    &kSpares,
    &kRelogins,
    &kReauthMissed,
    &kClientsCut,
    &kMoves,
    &kResumes,
    &kCoolingDown,
    &kLastSuccess,
    &kConfigGeneration,
    &kConfigChanged,
    &kConfigValid,
    &kConfigRejected,
    &kIdentityUsable,
    &kTokenRefreshes,
    &kTokenFailures,
    &kTokenExpires,
    &kListenFileErrors,
    &kListenExpires,
    &kResolves,
};

}  // namespace cvp::proxy::metric_names
