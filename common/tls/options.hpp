#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace cvp::tls {

/// How much of the server's certificate is checked. CONTRACT section 1, `tls.verify`.
enum class Verify {
    full,        ///< chain to the given CA and identity
    chain_only,  ///< chain only
    none,        ///< nothing: refused for IAM logins unless the user allowed it
};

enum class MinVersion { tls1_2, tls1_3 };

/// What a TLS client trusts and shows. Plain data: contexts are made from it where OpenSSL may be used.
struct ClientOptions {
    Verify verify = Verify::full;
    MinVersion min_version = MinVersion::tls1_2;
    /// PEM certificates, any number, all trusted. Empty with `system_roots` false trusts nothing.
    std::string ca_pem;
    /// Load the system's CA bundle too (public APIs only; costs about 1 MB and 20 ms).
    bool system_roots = false;
    /// Name to verify and to send as SNI instead of the dialled host; empty = the dialled host (no SNI for an IP).
    std::string server_name;
    /// Identities of which one must match, "ip:10.0.0.3" or "dns:name"; empty = server_name or the dialled host.
    std::vector<std::string> identities;
    /// Client certificate (PEM chain) and key, both or neither.
    std::string certificate_pem;
    Secret key_pem;

    bool operator==(const ClientOptions&) const = default;
};

/// What a TLS server shows. TLS 1.2 and up.
struct ServerOptions {
    std::string certificate_pem;  ///< leaf first, then intermediates
    Secret key_pem;
    std::string client_ca_pem;  ///< not empty: clients must show a certificate of this CA

    bool operator==(const ServerOptions&) const = default;
};

}  // namespace cvp::tls
