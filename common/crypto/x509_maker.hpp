#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace cvp::crypto {

/// A certificate and its private key, both PEM (the key as PKCS #8).
struct CertificateAndKey {
    std::string certificate_pem;
    Secret key_pem;
};

/// From when to when a certificate is valid, whole seconds. Any order of past and future is allowed.
struct Validity {
    std::chrono::system_clock::time_point not_before;
    std::chrono::system_clock::time_point not_after;

    /// From an hour ago (clocks differ between machines) to `lifetime` from now.
    static Validity from_now(std::chrono::system_clock::duration lifetime);
};

/// What a certificate authority's certificate shall say.
struct CaRequest {
    std::string common_name;
    Validity validity;
};

/// What a leaf certificate shall say. Without SANs no verifier of ours accepts it: for tests of just that.
struct LeafRequest {
    std::string common_name;                 ///< may be empty if there is a SAN
    std::vector<std::string> organizations;  ///< of the subject; Kubernetes takes a client's groups from them
    std::vector<std::string> dns_names;      ///< SANs
    std::vector<std::string> ip_addresses;   ///< SANs, textual IPv4 or IPv6
    Validity validity;
    bool server_auth = true;   ///< extended key usage serverAuth
    bool client_auth = false;  ///< extended key usage clientAuth
};

/// Makes a new ECDSA P-256 key and a self-signed CA certificate.
/// @errors invalid_argument if the name is empty or longer than 64 characters; internal
Result<CertificateAndKey> issue_ca(const CaRequest& request);

/// Makes a new key and a CA certificate signed by `issuer`.
/// @errors invalid_argument as issue_ca(), or if the issuer cannot be read; internal
Result<CertificateAndKey> issue_intermediate_ca(const CaRequest& request, const CertificateAndKey& issuer);

/// Makes a new ECDSA P-256 key and a leaf certificate signed by `issuer`. The issuer's certificate is not appended.
/// @errors invalid_argument if the request names nothing, holds a bad SAN, or the issuer cannot be read; internal
/// @source RFC 5280 section 4.2 for the extensions
Result<CertificateAndKey> issue_leaf(const LeafRequest& request, const CertificateAndKey& issuer);

}  // namespace cvp::crypto
