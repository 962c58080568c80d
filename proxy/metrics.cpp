#include "proxy/metric_names.hpp"
#include "proxy/status.hpp"
#include "proxy/version.hpp"

namespace cvp::proxy {
namespace {

using namespace metric_names;
using metrics::Page;

double seconds(SystemClock::time_point time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double number(std::uint64_t count) {
    return static_cast<double>(count);
}

void add_clients(Page& page, std::string_view connection, const PortView& port) {
    const auto role = to_string(port.role);
    const auto& stats = port.stats;
    const auto add = [&](const Metric& metric, std::uint64_t count) {
        page.add(metric, {{"connection", connection}, {"role", role}}, number(count));
    };
    add(kClientsOpen, stats.clients_open);
    add(kClients, stats.clients_total);
    if (!port.unix_socket.empty()) add(kUnixClients, stats.clients_unix);
    add(kClientsRefused, stats.clients_refused);
    if (port.has_tls) {
        const auto add_by_result = [&](std::string_view result, std::uint64_t count) {
            page.add(kClientTls, {{"connection", connection}, {"role", role}, {"result", result}}, number(count));
        };
        add_by_result("ok", stats.greetings_ok);
        add_by_result("certificate", stats.greetings_certificate);
        add_by_result("failed", stats.greetings_failed);
    }
    add(kAcceptFailures, stats.accept_failures);
    add(kReceivedBytes, stats.bytes_from_clients);
    add(kSentBytes, stats.bytes_to_clients);
    for (std::size_t cause = 0; cause < stats.local_errors.size(); ++cause) {
        if (stats.local_errors[cause] == 0) continue;
        page.add(kLocalErrors,
                 {{"connection", connection}, {"role", role}, {"cause", to_string(static_cast<Cause>(cause))}},
                 number(stats.local_errors[cause]));
    }
}

void add_commands(Page& page, std::string_view connection, const PortView& port) {
    const auto role = to_string(port.role);
    const auto& stats = port.stats;
    for (std::size_t i = 0; i < stats.commands.size(); ++i) {
        if (stats.commands[i] == 0) continue;
        page.add(kCommandsSeen, {{"connection", connection}, {"role", role}, {"command", command_at(i).name}},
                 number(stats.commands[i]));
    }
    page.add(kLatency, {{"connection", connection}, {"role", role}}, stats.latency);
    for (std::size_t i = 0; i < stats.latency_by_command.size(); ++i) {
        if (stats.latency_by_command[i].count() == 0) continue;
        page.add(kLatencyByCommand, {{"connection", connection}, {"role", role}, {"command", command_at(i).name}},
                 stats.latency_by_command[i]);
    }
    for (std::size_t i = 0; i < stats.server_errors.size(); ++i) {
        if (stats.server_errors[i] == 0) continue;
        page.add(kErrorReplies,
                 {{"connection", connection}, {"role", role}, {"code", to_string(static_cast<ServerError>(i))}},
                 number(stats.server_errors[i]));
    }
    page.add(kOpaque, {{"connection", connection}, {"role", role}}, number(stats.opaque));
    page.add(kLost, {{"connection", connection}, {"role", role}}, number(stats.lost));
}

void add_upstream(Page& page, std::string_view connection, const PortView& port) {
    const auto role = to_string(port.role);
    const auto& stats = port.stats;
    const auto add = [&](const Metric& metric, double value) {
        page.add(metric, {{"connection", connection}, {"role", role}}, value);
    };
    const auto add_by = [&](const Metric& metric, std::string_view label, std::string_view value, std::uint64_t count) {
        page.add(metric, {{"connection", connection}, {"role", role}, {label, value}}, number(count));
    };
    add(kUpstreamOpen, number(stats.upstream_open));
    add(kDials, number(stats.dials_total));
    add(kDialFailures, number(stats.dials_failed));
    add_by(kTlsHandshakes, "resumed", "true", stats.handshakes_resumed);
    add_by(kTlsHandshakes, "resumed", "false", stats.handshakes_ok - stats.handshakes_resumed);
    add_by(kTlsFailures, "reason", "chain", stats.handshakes_chain);
    add_by(kTlsFailures, "reason", "identity", stats.handshakes_identity);
    add_by(kTlsFailures, "reason", "other", stats.handshakes_failed);
    add_by(kLogins, "result", "ok", stats.logins_ok);
    add_by(kLogins, "result", "refused", stats.logins_refused);
    add_by(kLogins, "result", "throttled", stats.logins_throttled);
    add_by(kLogins, "result", "failed", stats.logins_failed);
    add(kSpares, number(port.upstream.spares));
    add_by(kRelogins, "result", "ok", stats.relogins_ok);
    add_by(kRelogins, "result", "refused", stats.relogins_refused);
    for (const auto& [reason, count] : stats.relogins_missed)
        add_by(kReauthMissed, "reason", reason, count);
    for (const auto& [reason, count] : stats.clients_cut)
        add_by(kClientsCut, "reason", reason, count);
    add_by(kMoves, "result", "ok", stats.moves_ok);
    add_by(kMoves, "result", "failed", stats.moves_failed);
    add(kResumes, number(stats.resumes));
    add(kCoolingDown, port.upstream.cooling_down ? 1 : 0);
    if (port.upstream.last_success_at) add(kLastSuccess, seconds(*port.upstream.last_success_at));
}

void add_config(Page& page, const ConnectionView& connection) {
    const auto add = [&](const Metric& metric, double value) {
        page.add(metric, {{"connection", connection.name}}, value);
    };
    add(kConfigGeneration, number(connection.generation));
    if (connection.changed_at) add(kConfigChanged, seconds(*connection.changed_at));
    add(kConfigValid, connection.last_rejection.empty() ? 1 : 0);
    add(kConfigRejected, number(connection.rejected));
}

void add_listen_files(Page& page, const View& view) {
    if (!view.listen_files) return;
    page.add(kListenFileErrors, {}, number(view.listen_files->errors));
    if (view.listen_files->expires_at) page.add(kListenExpires, {}, seconds(*view.listen_files->expires_at));
}

void add_credentials(Page& page, const View& view) {
    if (!view.identity_email.empty()) page.add(kIdentityUsable, {}, view.identity_warning.empty() ? 1 : 0);
    for (const auto& tokens : view.tokens) {
        page.add(kTokenRefreshes, {{"scope", tokens.scope}}, number(tokens.refreshes));
        page.add(kTokenFailures, {{"scope", tokens.scope}}, number(tokens.failures));
        if (tokens.expires_at) page.add(kTokenExpires, {{"scope", tokens.scope}}, seconds(*tokens.expires_at));
    }
    if (!view.resolver) return;
    page.add(kResolves, {{"result", "ok"}}, number(view.resolver->succeeded));
    page.add(kResolves, {{"result", "failed"}}, number(view.resolver->failed));
}

}  // namespace

std::string render_metrics(const View& view) {
    Page page;
    page.add(kInfo, {{"version", version()}}, 1);
    page.add(kStartTime, {}, seconds(view.started_at));
    page.add(kDraining, {}, view.draining ? 1 : 0);
    for (const auto& connection : view.connections) {
        for (const auto& port : connection.ports) {
            add_clients(page, connection.name, port);
            add_commands(page, connection.name, port);
            add_upstream(page, connection.name, port);
        }
        add_config(page, connection);
    }
    add_listen_files(page, view);
    add_credentials(page, view);
    return page.render();
}

}  // namespace cvp::proxy
