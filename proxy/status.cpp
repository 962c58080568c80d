#include "proxy/status.hpp"

#include <nlohmann/json.hpp>

#include "common/rfc3339.hpp"
#include "proxy/health.hpp"
#include "proxy/version.hpp"

namespace cvp::proxy {
namespace {

using Json = nlohmann::ordered_json;

Json time(const std::optional<SystemClock::time_point>& at) {
    return at ? Json(format_rfc3339(*at)) : Json();
}

Json text(const std::string& value) {
    return value.empty() ? Json() : Json(value);
}

Json render_upstream(const UpstreamState& upstream) {
    Json json{{"peer", text(upstream.peer)},
              {"tlsVersion", text(upstream.tls_version)},
              {"verifiedIdentity", text(upstream.verified_identity)},
              {"lastSuccessAt", time(upstream.last_success_at)},
              {"spares", upstream.spares},
              {"coolingDown", upstream.cooling_down}};
    if (upstream.last_error) {
        json["lastError"] = {{"cause", to_string(upstream.last_error->cause)},
                             {"message", upstream.last_error->sentence},
                             {"at", time(upstream.last_error_at)}};
    } else {
        json["lastError"] = nullptr;
    }
    return json;
}

Json render_counters(const PortStats& stats) {
    Json local_errors = Json::object();
    for (std::size_t cause = 0; cause < stats.local_errors.size(); ++cause) {
        if (stats.local_errors[cause] == 0) continue;
        local_errors[std::string(to_string(static_cast<Cause>(cause)))] = stats.local_errors[cause];
    }
    return {{"clientsOpen", stats.clients_open},
            {"clients", stats.clients_total},
            {"unixClients", stats.clients_unix},
            {"clientsRefused", stats.clients_refused},
            {"clientTlsHandshakes", stats.greetings_ok},
            {"clientTlsFailures", stats.greetings_certificate + stats.greetings_failed},
            {"receivedBytes", stats.bytes_from_clients},
            {"sentBytes", stats.bytes_to_clients},
            {"upstreamOpen", stats.upstream_open},
            {"dials", stats.dials_total},
            {"dialFailures", stats.dials_failed},
            {"tlsHandshakes", stats.handshakes_ok},
            {"tlsFailures", stats.handshakes_chain + stats.handshakes_identity + stats.handshakes_failed},
            {"logins", stats.logins_ok},
            {"loginsRefused", stats.logins_refused},
            {"loginsThrottled", stats.logins_throttled},
            {"loginsFailed", stats.logins_failed},
            {"relogins", stats.relogins_ok},
            {"reloginsRefused", stats.relogins_refused},
            {"moves", stats.moves_ok},
            {"movesFailed", stats.moves_failed},
            {"resumes", stats.resumes},
            {"opaqueClients", stats.opaque},
            {"lostClients", stats.lost},
            {"localErrors", std::move(local_errors)}};
}

void add_document(Json& json, const ResolvedConnection& document) {
    json["topology"] = to_string(document.topology);
    json["instance"] = {{"provider", text(document.instance.provider)},
                        {"fullName", text(document.instance.full_name)},
                        {"sourceGeneration", document.instance.source_generation},
                        {"changedAt", text(document.instance.changed_at)}};
    json["endpoints"] = Json::array();
    for (const auto& endpoint : document.endpoints) {
        json["endpoints"].push_back(
            {{"role", to_string(endpoint.role)}, {"host", endpoint.host}, {"port", endpoint.port}});
    }
    json["tls"] = {{"mode", to_string(document.tls.mode)},
                   {"verify", tls::to_string(document.tls.verify)},
                   {"minVersion", tls::to_string(document.tls.min_version)},
                   {"identities", document.tls.identities}};
    json["clientAuth"] = to_string(document.proxy.client_auth);
    json["auth"] = {{"mode", to_string(document.auth.mode)}, {"username", text(document.auth.username)}};
}

Json render_connection(const ConnectionView& connection) {
    Json json{{"name", connection.name}, {"resolved", connection.document.has_value()}};
    json["config"] = {{"generation", connection.generation},
                      {"changedAt", time(connection.changed_at)},
                      {"rejected", connection.rejected},
                      {"lastError", text(connection.last_rejection)}};
    if (connection.document) add_document(json, *connection.document);
    json["ports"] = Json::array();
    for (const auto& port : connection.ports) {
        json["ports"].push_back({{"role", to_string(port.role)},
                                 {"address", port.address},
                                 {"unixSocket", text(port.unix_socket)},
                                 {"tls", port.has_tls},
                                 {"upstream", render_upstream(port.upstream)},
                                 {"counters", render_counters(port.stats)}});
    }
    return json;
}

Json render_tokens(const TokensView& tokens) {
    return {{"scope", text(tokens.scope)},
            {"expiresAt", time(tokens.expires_at)},
            {"refreshes", tokens.refreshes},
            {"failures", tokens.failures},
            {"lastError", text(tokens.last_error)}};
}

Json render_verdict(const Verdict& verdict) {
    return {{"ok", verdict.ok}, {"message", verdict.text}};
}

}  // namespace

std::string render_status(const View& view) {
    Json json{{"version", version()},
              {"startedAt", format_rfc3339(view.started_at)},
              {"draining", view.draining},
              {"sessions", view.sessions},
              {"startup", render_verdict(judge_startup(view))},
              {"ready", render_verdict(judge_ready(view))}};
    if (!view.tokens.empty()) {
        json["identity"] = {{"email", text(view.identity_email)}, {"warning", text(view.identity_warning)}};
        json["tokens"] = Json::array();
        for (const auto& tokens : view.tokens)
            json["tokens"].push_back(render_tokens(tokens));
    }
    if (view.resolver) {
        json["resolver"] = {{"succeeded", view.resolver->succeeded},
                            {"failed", view.resolver->failed},
                            {"lastSuccessAt", time(view.resolver->last_success_at)},
                            {"lastError", text(view.resolver->last_error)}};
    }
    if (view.listen_files) {
        json["listenFiles"] = {{"errors", view.listen_files->errors},
                               {"lastError", text(view.listen_files->last_error)},
                               {"certificateExpiresAt", time(view.listen_files->expires_at)},
                               {"demandsClientCertificates", view.listen_files->demands_certificate}};
    }
    json["connections"] = Json::array();
    for (const auto& connection : view.connections)
        json["connections"].push_back(render_connection(connection));
    // Sentences may quote a server: bytes that are no UTF-8 are replaced, not thrown at.
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cvp::proxy
