#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "common/contract/connection_spec.hpp"
#include "common/contract/host.hpp"
#include "common/contract/names.hpp"
#include "common/contract/resolved_connection.hpp"
#include "common/printable.hpp"
#include "common/yaml/parser.hpp"
#include "common/yaml/reader.hpp"

namespace cvp {
namespace {

using namespace std::chrono_literals;
using yaml::Value;

constexpr std::size_t kMaxCaBytes = 1024 * 1024;
constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kCertificateEnd = "-----END CERTIFICATE-----";

/// Reads apiVersion and kind. A form that we do not know is not interpreted any further.
bool is_our_form(const Value& root) {
    std::string version;
    std::string kind;
    root["apiVersion"].required(names::kApiVersion).read(version);
    root["kind"].required(names::kResolvedKind).read(kind);
    const bool is_other_version = !version.empty() && version != names::kApiVersion;
    const bool is_other_kind = !kind.empty() && kind != names::kResolvedKind;
    if (is_other_version) {
        root["apiVersion"].fault(
            fmt::format("{} is not supported by this version; expected {}", in_quotes(version), names::kApiVersion));
    }
    if (is_other_kind) {
        root["kind"].fault(
            fmt::format("{} is not what is read here; expected {}", in_quotes(kind), names::kResolvedKind));
    }
    return !is_other_version && !is_other_kind;
}

Endpoint read_endpoint(const Value& value) {
    Endpoint endpoint;
    value["role"].read(endpoint.role, {EndpointRole::primary, EndpointRole::reader});
    value["port"].read(endpoint.port, 1, 65535);
    const auto host = value["host"];
    if (host.required("an IP address or a DNS name").read(endpoint.host) && !is_ip(endpoint.host) &&
        !is_dns_name(endpoint.host)) {
        host.fault(fmt::format("must be an IP address (IPv6 without brackets) or a DNS name, without port, not {}",
                               in_quotes(endpoint.host)));
    }
    return endpoint;
}

void read_endpoints(const Value& value, ResolvedConnection& connection) {
    const auto items = value.required("a list with at least one {role: primary, host, port}").items();
    for (const auto& item : items)
        connection.endpoints.push_back(read_endpoint(item));
    if (value.is_list() && connection.topology == Topology::standalone &&
        connection.find(EndpointRole::primary) == nullptr) {
        value.fault("must hold at least one endpoint with role: primary");
    }
}

void read_instance(const Value& value, InstanceRef& instance) {
    value["provider"].read(instance.provider);
    value["fullName"].read(instance.full_name);
    value["sourceGeneration"].read(instance.source_generation, 0, std::numeric_limits<std::int64_t>::max());
    value["changedAt"].read(instance.changed_at);
}

/// What is wrong with a PEM bundle, or "". Only its shape: common/tls reads the certificates.
std::string fault_of_bundle(std::string_view pem) {
    if (pem.find("PRIVATE KEY-----") != std::string_view::npos) return "must hold certificates only, not a private key";
    std::size_t found = 0;
    for (auto at = pem.find(kCertificateBegin); at != std::string_view::npos; at = pem.find(kCertificateBegin, at)) {
        at += kCertificateBegin.size();
        const auto end = pem.find(kCertificateEnd, at);
        if (end == std::string_view::npos ||
            pem.substr(at, end - at).find(kCertificateBegin) != std::string_view::npos) {
            return "holds a PEM certificate that is cut off";
        }
        ++found;
    }
    return found == 0 ? "must hold at least one PEM certificate (-----BEGIN CERTIFICATE-----)" : "";
}

/// A file beside the document: no absolute path and no way out of the directory.
void read_file_name(const Value& value, std::string& out) {
    if (!value.read(out)) return;
    const bool climbs =
        out == ".." || out.starts_with("../") || out.ends_with("/..") || out.find("/../") != std::string::npos;
    if (out.empty() || out.front() == '/' || climbs) {
        value.fault("must be a path relative to the document's directory, without \"..\"");
    }
}

void read_tls(const Value& value, TlsSettings& tls) {
    value["mode"].read(tls.mode, {TlsMode::required, TlsMode::disabled});
    value["verify"].read(tls.verify, {tls::Verify::full, tls::Verify::chain_only, tls::Verify::none});
    value["minVersion"].read(tls.min_version, {tls::MinVersion::tls1_2, tls::MinVersion::tls1_3});

    const auto server_name = value["serverName"];
    server_name.read(tls.server_name);
    if (!tls.server_name.empty() && !is_dns_name(tls.server_name) && !is_ip(tls.server_name)) {
        server_name.fault(fmt::format("must be a DNS name or an IP address, not {}", in_quotes(tls.server_name)));
    }
    const auto identities = value["identities"];
    identities.read(tls.identities);
    for (std::size_t i = 0; i < tls.identities.size(); ++i) {
        if (is_identity(tls.identities[i])) continue;
        identities.items()[i].fault(
            fmt::format("must be \"ip:ADDRESS\" or \"dns:NAME\", not {}", in_quotes(tls.identities[i])));
    }

    read_file_name(value["caFile"], tls.ca_file);
    const auto ca = value["ca"];
    ca.read(tls.ca, kMaxCaBytes);
    const bool needs_ca = tls.mode == TlsMode::required && tls.verify != tls::Verify::none && tls.ca_file.empty();
    if (!tls.ca.empty()) {
        if (auto fault = fault_of_bundle(tls.ca); !fault.empty()) ca.fault(std::move(fault));
    } else if (needs_ca) {
        ca.fault(
            "is missing; expected the PEM certificates of the server's CA (or tls.mode: Disabled where the server "
            "has no TLS)");
    }
}

void read_auth(const Value& value, AuthSettings& auth) {
    value["mode"].read(auth.mode, {AuthMode::google_iam, AuthMode::password, AuthMode::none});
    value["username"].read(auth.username);
    const auto scope = value["scope"];
    scope.read(auth.scope);
    if (!auth.scope.empty() && !auth.scope.starts_with("https://")) {
        scope.fault("must be the URL of an OAuth scope, such as https://www.googleapis.com/auth/cloud-platform");
    }
    const auto impersonate = value["impersonate"];
    impersonate.read(auth.impersonate, 16);
    for (std::size_t i = 0; i < auth.impersonate.size(); ++i) {
        if (auth.impersonate[i].find('@') == std::string::npos) {
            impersonate.items()[i].fault("must be the e-mail address of a service account");
        }
    }
    read_file_name(value["usernameFile"], auth.username_file);
    read_file_name(value["passwordFile"], auth.password_file);
}

void read_proxy(const Value& value, ProxySettings& proxy) {
    value["clientAuth"].read(proxy.client_auth, {ClientAuth::accept, ClientAuth::require, ClientAuth::reject});
    value["connectHold"].read(proxy.connect_hold, 0ms, 60s);
    value["warmSpares"].read(proxy.warm_spares, 0, 16);
    value["maxConnections"].read(proxy.max_connections, 1, 1'000'000);
}

void read_name(const Value& value, std::string& name) {
    if (!value.required("the name of the connection").read(name) || is_connection_name(name)) return;
    value.fault(fmt::format("must be lower-case letters, digits and inner '-', at most {} characters, not {}",
                            kMaxConnectionName, in_quotes(name)));
}

}  // namespace

ParsedConnection parse_resolved_connection(std::string_view yaml) {
    ParsedConnection parsed;
    auto document = yaml::parse(yaml);
    if (!document) {
        parsed.faults.push_back(std::move(document).error());
        return parsed;
    }
    yaml::Reader reader(std::move(*document));
    const auto root = reader.root();
    if (!root || !is_our_form(root)) {
        parsed.faults = reader.finish().faults;
        return parsed;
    }
    auto& connection = parsed.connection;
    read_name(root["name"], connection.name);
    root["topology"]
        .required("one of Standalone, Cluster, Sentinel")
        .read(connection.topology, {Topology::standalone, Topology::cluster, Topology::sentinel});
    read_endpoints(root["endpoints"], connection);
    read_instance(root["instance"], connection.instance);
    read_tls(root["tls"], connection.tls);
    read_auth(root["auth"], connection.auth);
    read_proxy(root["proxy"], connection.proxy);

    auto findings = reader.finish();
    parsed.faults = std::move(findings.faults);
    parsed.warnings = std::move(findings.warnings);
    return parsed;
}

}  // namespace cvp
