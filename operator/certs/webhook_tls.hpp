#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/crypto/x509_maker.hpp"
#include "common/result.hpp"

/// What the webhook serves and who signed it, and its form as the Secret cloud-valkey-operator-tls. CONTRACT
/// section 11.
namespace cvp::op {

/// Life of the webhook's certificate authority. Its certificate stands in the webhook configuration's caBundle.
inline constexpr auto kCaLife = std::chrono::hours(24 * 3650);
/// Life of the leaf. It is renewed when a third of it is left, so daily life never touches the caBundle.
inline constexpr auto kLeafLife = std::chrono::hours(24 * 90);

inline constexpr std::string_view kTlsSecret = "cloud-valkey-operator-tls";

/// A certificate authority and one leaf of it.
struct WebhookTls {
    crypto::CertificateAndKey ca;
    crypto::CertificateAndKey leaf;
};

/// Reads the Secret's data: ca.crt, ca.key, tls.crt, tls.key. That they fit together is not checked here.
/// @errors invalid_argument, naming the key that is missing or no base64
Result<WebhookTls> read_tls_secret(const nlohmann::json& secret);

/// Builds the Secret for server-side apply.
/// @param resource_version precondition: the version that was read; empty where there was none
nlohmann::json build_tls_secret(const std::string& namespace_name, const WebhookTls& tls,
                                const std::string& resource_version);

/// Makes a certificate authority that is valid from an hour before `now`: clocks differ.
/// @errors internal
Result<crypto::CertificateAndKey> make_webhook_ca(std::chrono::system_clock::time_point now);

/// Makes a leaf for these identities ("dns:…", "ip:…").
/// @errors invalid_argument if the CA or an identity cannot be used; internal
Result<crypto::CertificateAndKey> make_webhook_leaf(const crypto::CertificateAndKey& ca,
                                                    const std::vector<std::string>& identities,
                                                    std::chrono::system_clock::time_point now);

}  // namespace cvp::op
