#include "operator/certs/webhook_tls.hpp"

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/crypto/base64.hpp"
#include "common/json_access.hpp"
#include "common/rfc3339.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using TimePoint = std::chrono::system_clock::time_point;

constexpr auto kClockSkew = std::chrono::hours(1);
constexpr std::string_view kCommonName = "CN=";
constexpr std::string_view kDns = "dns:";
constexpr std::string_view kIp = "ip:";

std::string read_key(const json& secret, std::string_view key) {
    return crypto::base64_decode(find_string(secret, {"data", key})).value_or("");
}

}  // namespace

WebhookTls read_tls_secret(const json& secret) {
    WebhookTls tls;
    tls.ca = {read_key(secret, "ca.crt"), Secret(read_key(secret, "ca.key"))};
    tls.leaf = {read_key(secret, "tls.crt"), Secret(read_key(secret, "tls.key"))};
    tls.old_ca_pem = read_key(secret, "old-ca.crt");
    tls.step_since = parse_rfc3339(find_string(secret, {"metadata", "annotations", kRotationStepSince}));
    tls.rotation_asked = find_string(secret, {"metadata", "annotations", kRotateCa});
    tls.rotation_done = find_string(secret, {"metadata", "annotations", kRotatedCa});
    return tls;
}

json build_tls_secret(const std::string& namespace_name, const WebhookTls& tls, const std::string& resource_version) {
    json metadata = {{"name", kTlsSecret},
                     {"namespace", namespace_name},
                     {"labels", {{"app.kubernetes.io/managed-by", names::kOperator}}},
                     {"annotations",
                      {{kRotatedCa, tls.rotation_done},
                       {kRotationStepSince, tls.step_since ? format_rfc3339(*tls.step_since) : std::string()}}}};
    if (!resource_version.empty()) metadata["resourceVersion"] = resource_version;
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata", std::move(metadata)},
            {"type", "Opaque"},
            {"data",
             {{"ca.crt", crypto::base64_encode(tls.ca.certificate_pem)},
              {"ca.key", crypto::base64_encode(tls.ca.key_pem.reveal())},
              {"old-ca.crt", crypto::base64_encode(tls.old_ca_pem)},
              {"tls.crt", crypto::base64_encode(tls.leaf.certificate_pem)},
              {"tls.key", crypto::base64_encode(tls.leaf.key_pem.reveal())}}}};
}

Result<crypto::CertificateAndKey> make_webhook_ca(TimePoint now) {
    crypto::CaRequest request;
    request.common_name = kCaSubject.substr(kCommonName.size());
    request.validity = {now - kClockSkew, now + kCaLife};
    return crypto::issue_ca(request);
}

Result<crypto::CertificateAndKey> make_webhook_leaf(const crypto::CertificateAndKey& ca,
                                                    const std::vector<std::string>& identities, TimePoint now) {
    crypto::LeafRequest request;
    request.common_name = names::kOperator;
    request.validity = {now - kClockSkew, now + kLeafLife};
    for (const auto& identity : identities) {
        if (identity.starts_with(kDns)) request.dns_names.push_back(identity.substr(kDns.size()));
        if (identity.starts_with(kIp)) request.ip_addresses.push_back(identity.substr(kIp.size()));
    }
    return crypto::issue_leaf(request, ca);
}

}  // namespace cvp::op
