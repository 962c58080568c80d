#include "common/config/duration.hpp"
#include "common/contract/names.hpp"
#include "common/contract/resolved_connection.hpp"
#include "common/yaml/writer.hpp"

namespace cvp {
namespace {

void write_endpoints(yaml::Writer& out, const std::vector<Endpoint>& endpoints) {
    out.begin_list("endpoints");
    for (const auto& endpoint : endpoints) {
        out.begin_item();
        out.field("role", to_string(endpoint.role));
        out.field("host", endpoint.host);
        out.field("port", endpoint.port);
        out.end();
    }
    out.end();
}

void write_instance(yaml::Writer& out, const InstanceRef& instance) {
    out.begin_map("instance");
    out.field("provider", instance.provider);
    out.field("fullName", instance.full_name);
    out.field("sourceGeneration", instance.source_generation);
    out.field("changedAt", instance.changed_at);
    out.end();
}

void write_tls(yaml::Writer& out, const TlsSettings& tls) {
    out.begin_map("tls");
    out.field("mode", to_string(tls.mode));
    out.field("verify", to_string(tls.verify));
    out.field("minVersion", to_string(tls.min_version));
    out.field("serverName", tls.server_name);
    out.field("identities", tls.identities);
    if (!tls.ca_file.empty()) out.field("caFile", tls.ca_file);
    out.field("ca", tls.ca);
    out.end();
}

void write_auth(yaml::Writer& out, const AuthSettings& auth) {
    out.begin_map("auth");
    out.field("mode", to_string(auth.mode));
    out.field("username", auth.username);
    out.field("scope", auth.scope);
    out.field("impersonate", auth.impersonate);
    if (!auth.username_file.empty()) out.field("usernameFile", auth.username_file);
    if (!auth.password_file.empty()) out.field("passwordFile", auth.password_file);
    out.end();
}

void write_proxy(yaml::Writer& out, const ProxySettings& proxy) {
    out.begin_map("proxy");
    out.field("clientAuth", to_string(proxy.client_auth));
    out.field("connectHold", format_duration(proxy.connect_hold));
    out.field("warmSpares", proxy.warm_spares);
    out.field("maxConnections", proxy.max_connections);
    out.end();
}

}  // namespace

std::string write_resolved_connection(const ResolvedConnection& connection) {
    yaml::Writer out;
    out.field("apiVersion", names::kApiVersion);
    out.field("kind", names::kResolvedKind);
    out.field("name", connection.name);
    out.field("topology", to_string(connection.topology));
    write_endpoints(out, connection.endpoints);
    write_instance(out, connection.instance);
    write_tls(out, connection.tls);
    write_auth(out, connection.auth);
    write_proxy(out, connection.proxy);
    return out.take();
}

}  // namespace cvp
