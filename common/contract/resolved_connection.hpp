#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fault.hpp"
#include "common/tls/options.hpp"

namespace cvp {

/// How the instance is laid out.
enum class Topology { standalone, cluster, sentinel };

/// What an endpoint serves.
enum class EndpointRole { primary, reader };

struct Endpoint {
    EndpointRole role = EndpointRole::primary;
    std::string host;  ///< IP literal (IPv6 without brackets) or DNS name
    std::uint16_t port = 6379;

    bool operator==(const Endpoint&) const = default;
};

/// Where the document came from.
struct InstanceRef {
    std::string provider;   ///< "memorystoreValkey", …
    std::string full_name;  ///< "projects/p/locations/l/instances/i"
    std::int64_t source_generation = 0;
    std::string changed_at;  ///< RFC 3339; moves only when anything else moved

    bool operator==(const InstanceRef&) const = default;
};

enum class TlsMode { required, disabled };

struct TlsSettings {
    TlsMode mode = TlsMode::required;
    tls::Verify verify = tls::Verify::full;
    tls::MinVersion min_version = tls::MinVersion::tls1_2;
    std::string server_name;
    std::vector<std::string> identities;  ///< "ip:…", "dns:…"
    std::string ca;                       ///< PEM bundle
    std::string ca_file;                  ///< PEM bundle beside the document, for a CA that only its owner knows

    bool operator==(const TlsSettings&) const = default;
};

enum class AuthMode { google_iam, password, none };

struct AuthSettings {
    AuthMode mode = AuthMode::none;
    std::string username;                  ///< empty: AUTH with one argument
    std::string scope;                     ///< OAuth scope URL for IAM modes
    std::vector<std::string> impersonate;  ///< service accounts, last one is the identity
    std::string username_file;             ///< relative to the document's directory
    std::string password_file;

    bool operator==(const AuthSettings&) const = default;
};

enum class ClientAuth { accept, require, reject };

struct ProxySettings {
    ClientAuth client_auth = ClientAuth::accept;
    std::chrono::milliseconds connect_hold{1500};
    int warm_spares = 1;
    int max_connections = 10000;

    bool operator==(const ProxySettings&) const = default;
};

/// connection.yaml, CONTRACT section 1: the contract between operator and proxy.
struct ResolvedConnection {
    std::string name;
    Topology topology = Topology::standalone;
    std::vector<Endpoint> endpoints;
    InstanceRef instance;
    TlsSettings tls;
    AuthSettings auth;
    ProxySettings proxy;

    bool operator==(const ResolvedConnection&) const = default;

    /// First endpoint of that role, or nullptr.
    const Endpoint* find(EndpointRole role) const;
};

/// A document read: faults empty means usable. Warnings name unknown keys.
struct ParsedConnection {
    ResolvedConnection connection;
    std::vector<Fault> faults;
    std::vector<Fault> warnings;
};

/// Reads a connection.yaml. Reports every fault at once, each with its key path. Unknown keys are warnings; an unknown
/// apiVersion or kind is a fault. Never throws.
ParsedConnection parse_resolved_connection(std::string_view yaml);

/// Writes the document in CONTRACT section 1's form and order; parse(write(x)) == x.
std::string write_resolved_connection(const ResolvedConnection& connection);

/// Whether two documents say the same, the time of their last change apart.
bool same_but_for_time(const ResolvedConnection& a, const ResolvedConnection& b);

/// Gives `fresh` its instance.changedAt: that of `old` where nothing else moved, else `now` (RFC 3339).
void carry_changed_at(const ResolvedConnection* old, ResolvedConnection& fresh, std::string now);

/// Names of the enum values as the document writes them ("Standalone", "GoogleIAM", …).
std::string_view to_string(Topology value);
std::string_view to_string(EndpointRole value);
std::string_view to_string(TlsMode value);
std::string_view to_string(AuthMode value);
std::string_view to_string(ClientAuth value);

}  // namespace cvp

namespace cvp::tls {

/// "Full", "ChainOnly", "None" and "1.2", "1.3".
std::string_view to_string(Verify value);
std::string_view to_string(MinVersion value);

}  // namespace cvp::tls
