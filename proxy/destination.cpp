#include "proxy/destination.hpp"

#include <utility>

#include <fmt/core.h>

namespace cvp::proxy {
namespace {

/// What to do about a file of the connection's Secret that is not there.
std::string missing_file(std::string_view connection, std::string_view what, std::string_view file) {
    return fmt::format(
        "the {} is missing: there is no file {} beside connection.yaml; in Kubernetes put it into key {} of the Secret "
        "cloudvalkey-{}",
        what, file, file, connection);
}

tls::ClientOptions build_tls(const Document& document) {
    const auto& settings = document.connection.tls;
    tls::ClientOptions options;
    options.verify = settings.verify;
    options.min_version = settings.min_version;
    options.ca_pem = settings.ca;
    options.server_name = settings.server_name;
    options.identities = settings.identities;
    if (document.certificate) {
        options.certificate_pem = document.certificate->certificate_pem;
        options.key_pem = document.certificate->key_pem;
    }
    return options;
}

std::variant<LocalError, Target> build_target(const Document& document, EndpointRole role,
                                              std::shared_ptr<LoginSource> login) {
    const auto& connection = document.connection;
    const auto& tls = connection.tls;
    if (connection.topology == Topology::cluster) {
        return make_local_error(Cause::cluster_mode_not_supported,
                                "the instance runs in cluster mode, which this version cannot serve: use an instance "
                                "with cluster mode disabled");
    }
    const auto* endpoint = connection.find(role);
    if (endpoint == nullptr) {
        return make_local_error(Cause::no_reader, "the instance has no reader endpoint: read from the primary's port");
    }
    const bool is_encrypted = tls.mode == TlsMode::required;
    if (is_encrypted && tls.verify != tls::Verify::none && tls.ca.empty()) {
        auto error = make_local_error(Cause::tls_chain, missing_file(connection.name, "server's CA", tls.ca_file));
        error.transient = true;
        return error;
    }
    Target target;
    target.endpoint = *endpoint;
    if (is_encrypted) target.tls = build_tls(document);
    target.username = connection.auth.username;
    target.login = std::move(login);
    if (connection.auth.mode == AuthMode::google_iam) target.age = AgeLimits();
    target.spares = static_cast<std::size_t>(connection.proxy.warm_spares);
    return target;
}

}  // namespace

Destination build_destination(const Document& document, EndpointRole role, std::shared_ptr<LoginSource> login,
                              ClientPolicy clients) {
    Destination destination;
    destination.to = build_target(document, role, std::move(login));
    destination.connect_hold = document.connection.proxy.connect_hold;
    destination.max_connections = static_cast<std::size_t>(document.connection.proxy.max_connections);
    destination.clients = std::move(clients);
    return destination;
}

}  // namespace cvp::proxy
