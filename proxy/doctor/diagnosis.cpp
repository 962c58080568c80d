#include "proxy/doctor/diagnosis.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/providers/provider.hpp"
#include "proxy/doctor/remedies.hpp"

namespace cvp::proxy {
namespace {

using providers::Reason;

bool is_reached(const UpstreamState& upstream) {
    if (!upstream.last_success_at) return false;
    return !upstream.last_error_at || *upstream.last_success_at >= *upstream.last_error_at;
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// One connection, looked at link by link.
class Examination {
public:
    Examination(const View& view, const ConnectionView& connection, const Patient& patient)
        : view_(view),
          connection_(connection),
          remedies_(patient, connection, view.identity_email, view.resolver ? view.resolver->instance : "") {}

    std::vector<Diagnosis> examine() const {
        if (!connection_.last_rejection.empty())
            return {find("config", connection_.last_rejection, remedies_.resolve_anew())};
        if (!connection_.document) return {unresolved()};
        std::vector<Diagnosis> found;
        for (const auto& port : connection_.ports)
            if (!is_reached(port.upstream)) found.push_back(unreached(port));
        if (found.empty()) found.push_back({connection_.name, "ok", proven(), ""});
        return found;
    }

private:
    Diagnosis find(std::string id, std::string text, std::string remedy) const {
        return {connection_.name, std::move(id), std::move(text), std::move(remedy)};
    }

    Diagnosis unresolved() const {
        const auto error = view_.resolver ? view_.resolver->last_error : std::string();
        if (error.empty()) {
            for (const auto& tokens : view_.tokens)
                if (!tokens.last_error.empty() && !tokens.expires_at)
                    return find("token", "there is no access token: " + tokens.last_error, remedies_.ask_for_token());
            return find("resolve", "the instance is not known yet", remedies_.describe_instance());
        }
        const auto& reason = view_.resolver->last_reason;
        const auto is = [&](Reason of) { return reason == providers::to_string(of); };
        if (is(Reason::api_disabled)) return find("resolve", error, remedies_.enable_api());
        if (is(Reason::permission_denied) && !view_.identity_warning.empty())
            return find("identity", view_.identity_warning, remedies_.link_service_account());
        if (is(Reason::permission_denied)) return find("resolve", error, remedies_.grant("roles/memorystore.viewer"));
        if (is(Reason::instance_not_found)) return find("resolve", error, remedies_.list_instances());
        if (is(Reason::cluster_mode_not_supported)) return find("topology", error, remedies_.describe_instance());
        if (is(Reason::cloud_unavailable) && (has(error, "token") || has(error, "metadata")))
            return find("token", error, remedies_.ask_for_token());
        if (is(Reason::cloud_unavailable))
            return find("resolve", error, "curl -sS -o /dev/null https://memorystore.googleapis.com");
        return find("resolve", error, remedies_.describe_instance());
    }

    Diagnosis unreached(const PortView& port) const {
        const auto where = port.role == EndpointRole::primary ? std::string() : "its readers: ";
        const auto& error = port.upstream.last_error;
        if (!error) return unreachable(port, where + "no answer in time");
        const auto text = where + error->sentence;
        switch (error->cause) {
            case Cause::no_token:
                return no_token(text);
            case Cause::login_refused:
                return login_refused(text);
            case Cause::login_throttled:
                return find("login", text, "wait some minutes; fewer programs that start at once press it less");
            case Cause::tls_chain:
                return wrong_chain(text);
            case Cause::tls_identity:
                return find("tls-identity", text, remedies_.resolve_anew());
            case Cause::cluster_mode_not_supported:
                return find("topology", text, remedies_.describe_instance());
            case Cause::no_reader:
                return find("reader", text, remedies_.describe_instance());
            case Cause::not_resolved:
                return find("resolve", text, remedies_.describe_instance());
            case Cause::upstream_unreachable:
                break;
        }
        return unreachable(port, text);
    }

    Diagnosis no_token(const std::string& text) const {
        if (connection_.document->auth.mode == AuthMode::google_iam)
            return find("token", "there is no access token: " + text, remedies_.ask_for_token());
        return find("login", text, remedies_.give_password());
    }

    Diagnosis login_refused(const std::string& text) const {
        if (connection_.document->auth.mode != AuthMode::google_iam)
            return find("login", text, remedies_.give_password());
        if (!view_.identity_warning.empty())
            return find("identity", view_.identity_warning, remedies_.link_service_account());
        const auto who = view_.identity_email.empty() ? std::string() : " (it is " + view_.identity_email + ")";
        return find("login", text + who, remedies_.grant("roles/memorystore.dbConnectionUser"));
    }

    /// A clock that is wrong makes good certificates look too young or too old.
    Diagnosis wrong_chain(const std::string& text) const {
        if (has(text, "not yet valid") || has(text, "expired"))
            return find("tls-chain", text, remedies_.compare_clocks());
        return find("tls-chain", text, remedies_.resolve_anew());
    }

    Diagnosis unreachable(const PortView& port, const std::string& text) const {
        const auto& endpoints = connection_.document->endpoints;
        const auto found = std::find_if(endpoints.begin(), endpoints.end(),
                                        [&](const auto& endpoint) { return endpoint.role == port.role; });
        const auto host = found == endpoints.end() ? std::string("HOST") : found->host;
        if (has(text, "name cannot be resolved") || has(text, "no address"))
            return find("name", text, remedies_.look_up(host));
        if (has(text, "TLS") || has(text, "handshake")) return find("tls", text, remedies_.describe_instance());
        const auto number = found == endpoints.end() ? std::uint16_t{6379} : found->port;
        const bool is_unheard =
            has(text, "no answer in time") || has(text, "Network is unreachable") || has(text, "No route to host");
        if (!is_unheard) return find("network", text, remedies_.open_port(host, number));
        return find(
            "network",
            text + ": its network is not this machine's, or a firewall on the way drops TCP " + std::to_string(number),
            remedies_.join_network(host, number));
    }

    std::string proven() const {
        std::string text;
        for (const auto& port : connection_.ports) {
            const auto& upstream = port.upstream;
            text += fmt::format("{}{} {}", text.empty() ? "" : "; ", to_string(port.role), upstream.peer);
            if (!upstream.tls_version.empty()) text += ", " + upstream.tls_version;
            if (!upstream.verified_identity.empty()) text += ", verified " + upstream.verified_identity;
        }
        const auto& auth = connection_.document->auth;
        if (auth.mode == AuthMode::none) return text + "; no login is asked for";
        if (auth.mode == AuthMode::password) return text + "; logged in with the password";
        return text + "; logged in as " + (view_.identity_email.empty() ? "its identity" : view_.identity_email);
    }

    const View& view_;
    const ConnectionView& connection_;
    Remedies remedies_;
};

}  // namespace

bool is_settled(const View& view) {
    // What the cloud said of the instance; that it says nothing may be a matter of seconds.
    const bool is_answered = view.resolver && !view.resolver->last_error.empty() &&
                             view.resolver->last_reason != providers::to_string(Reason::cloud_unavailable);
    return std::all_of(view.connections.begin(), view.connections.end(), [&](const ConnectionView& connection) {
        if (!connection.last_rejection.empty()) return true;
        if (!connection.document || connection.ports.empty()) return is_answered;
        return std::all_of(connection.ports.begin(), connection.ports.end(), [](const PortView& port) {
            return is_reached(port.upstream) || (port.upstream.last_error && !port.upstream.last_error->transient);
        });
    });
}

std::vector<Diagnosis> diagnose(const View& view, const Patient& patient) {
    std::vector<Diagnosis> all;
    for (const auto& connection : view.connections) {
        auto found = Examination(view, connection, patient).examine();
        std::move(found.begin(), found.end(), std::back_inserter(all));
    }
    std::stable_partition(all.begin(), all.end(), [](const Diagnosis& diagnosis) { return !diagnosis.is_ok(); });
    return all;
}

std::string to_string(const std::vector<Diagnosis>& diagnoses) {
    std::string text;
    for (const auto& [connection, id, what, remedy] : diagnoses) {
        text += id == "ok" ? fmt::format("✓ {}: {}\n", connection, what)
                           : fmt::format("✗ {}: {}: {}\n", connection, id, what);
        if (!remedy.empty()) text += "  → " + remedy + "\n";
    }
    return text;
}

std::string to_json(const std::vector<Diagnosis>& diagnoses) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& diagnosis : diagnoses) {
        list.push_back({{"name", diagnosis.connection},
                        {"id", diagnosis.id},
                        {"ok", diagnosis.is_ok()},
                        {"text", diagnosis.text},
                        {"remedy", diagnosis.remedy}});
    }
    return nlohmann::ordered_json{{"connections", std::move(list)}}.dump(2) + "\n";
}

}  // namespace cvp::proxy
