#pragma once

#include <chrono>
#include <optional>
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
/// Subject of every CA of ours, as parse_certificate() writes it.
inline constexpr std::string_view kCaSubject = "CN=cloud-valkey-operator webhook CA";

/// Annotations of the Secret. Whoever wants a new CA gives the first one a new value; the other two are ours.
inline constexpr const char* kRotateCa = "cloudvalkey.dev/rotate-ca";
inline constexpr const char* kRotatedCa = "cloudvalkey.dev/rotated-ca";
inline constexpr const char* kRotationStepSince = "cloudvalkey.dev/rotation-step-since";

/// The Secret's content: a certificate authority, one leaf, and how far a rotation of the CA has come. A new leader
/// goes on from here; nothing else is remembered anywhere.
struct WebhookTls {
    crypto::CertificateAndKey ca;    ///< signs the next leaf
    crypto::CertificateAndKey leaf;  ///< of `ca`, or during a rotation of an old one
    std::string old_ca_pem;          ///< trusted besides `ca` while a rotation lasts; empty otherwise
    /// Leaf of an old CA: since when the new one stands in the live caBundle. Leaf of the new one: since when.
    std::optional<std::chrono::system_clock::time_point> step_since;
    std::string rotation_asked;  ///< value of kRotateCa
    std::string rotation_done;   ///< value of kRotatedCa: the last one that was heard
};

/// Reads the Secret. A key that is missing or no base64 is empty: that the parts fit together is not checked here.
WebhookTls read_tls_secret(const nlohmann::json& secret);

/// Builds the Secret for server-side apply: all that is ours, what is empty as an empty text, so that it replaces what
/// somebody else may have written.
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
