#include "tests/support/test_ca.hpp"

#include <stdexcept>

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kDay = 24h;
constexpr auto kOtherInstance = "192.0.2.77";

crypto::CertificateAndKey or_throw(Result<crypto::CertificateAndKey> made) {
    if (!made) throw std::runtime_error("making a certificate: " + made.error().context);
    return std::move(*made);
}

crypto::Validity validity_of(Leaf kind) {
    const auto now = std::chrono::system_clock::now();
    if (kind == Leaf::expired) return {now - 7 * kDay, now - 1h};
    if (kind == Leaf::not_yet_valid) return {now + 1h, now + 7 * kDay};
    return crypto::Validity::from_now(7 * kDay);
}

}  // namespace

TestCa::TestCa(const std::string& name)
    : ca_(or_throw(crypto::issue_ca({name, crypto::Validity::from_now(3650 * kDay)}))) {}

crypto::CertificateAndKey TestCa::sign(Leaf kind, const std::vector<std::string>& ips,
                                       const std::vector<std::string>& names) const {
    crypto::LeafRequest request;
    request.common_name = ips.front();
    request.validity = validity_of(kind);
    if (kind == Leaf::other_identity) {
        request.common_name = kOtherInstance;
        request.ip_addresses = {kOtherInstance};
    } else if (kind != Leaf::common_name) {
        request.ip_addresses = ips;
        request.dns_names = names;
    }
    return or_throw(crypto::issue_leaf(request, ca_));
}

ValkeyIdentity TestCa::valkey(Leaf kind, const std::vector<std::string>& ips) const {
    auto leaf = sign(kind, ips);
    return {std::move(leaf.certificate_pem), std::move(leaf.key_pem), pem()};
}

TlsServerSettings TestCa::server(Leaf kind, const std::vector<std::string>& ips) const {
    auto leaf = sign(kind, ips);
    TlsServerSettings settings;
    settings.certificate_pem = std::move(leaf.certificate_pem);
    settings.key_pem = std::move(leaf.key_pem);
    return settings;
}

crypto::CertificateAndKey TestCa::client_certificate(Leaf kind, const std::string& name) const {
    crypto::LeafRequest request;
    request.common_name = name;
    request.validity = validity_of(kind);
    request.dns_names = {name};
    request.server_auth = false;
    request.client_auth = true;
    return or_throw(crypto::issue_leaf(request, ca_));
}

TlsClientSettings TestCa::client(const std::string& identity) const {
    TlsClientSettings settings;
    settings.ca_pem = pem();
    settings.identity = identity;
    return settings;
}

}  // namespace cvp::test
