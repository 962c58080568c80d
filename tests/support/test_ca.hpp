#pragma once

#include <string>
#include <vector>

#include "common/crypto/x509_maker.hpp"
#include "tests/support/byte_stream.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {

/// What is right or wrong with a server's certificate.
enum class Leaf {
    good,            ///< IP SAN of the server
    expired,         ///< good until an hour ago
    not_yet_valid,   ///< good from an hour ahead
    other_identity,  ///< the IP of another instance
    common_name,     ///< the right IP as CN, no SAN at all
};

/// A certificate authority of a test, of 10 years, and the leaves that it signs. Throws std::runtime_error.
class TestCa {
public:
    explicit TestCa(const std::string& name = "Test CA");

    const std::string& pem() const { return ca_.certificate_pem; }

    /// A leaf for the given IP addresses and DNS names, right or wrong in one way.
    crypto::CertificateAndKey sign(Leaf kind, const std::vector<std::string>& ips = {"127.0.0.1"},
                                   const std::vector<std::string>& names = {}) const;

    /// The same as a Valkey takes it.
    ValkeyIdentity valkey(Leaf kind = Leaf::good, const std::vector<std::string>& ips = {"127.0.0.1"}) const;
    /// The same as a server of ours takes it.
    TlsServerSettings server(Leaf kind = Leaf::good, const std::vector<std::string>& ips = {"127.0.0.1"}) const;
    /// A leaf for a client, right or expired or not yet valid.
    crypto::CertificateAndKey client_certificate(Leaf kind = Leaf::good, const std::string& name = "client") const;
    /// A client that verifies chain and identity.
    TlsClientSettings client(const std::string& identity = "127.0.0.1") const;

private:
    crypto::CertificateAndKey ca_;
};

}  // namespace cvp::test
