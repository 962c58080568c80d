#include "operator/certs/webhook_tls.hpp"

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/crypto/base64.hpp"
#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using TimePoint = std::chrono::system_clock::time_point;

constexpr auto kClockSkew = std::chrono::hours(1);
constexpr std::string_view kDns = "dns:";
constexpr std::string_view kIp = "ip:";

Result<std::string> read_key(const json& secret, const char* key) {
    auto bytes = crypto::base64_decode(find_string(secret, {"data", key}));
    if (!bytes || bytes->empty())
        return fail(ErrorCode::invalid_argument, std::string("its key ") + key + " is missing or not base64");
    return std::move(*bytes);
}

}  // namespace

Result<WebhookTls> read_tls_secret(const json& secret) {
    auto ca = read_key(secret, "ca.crt");
    if (!ca) return fail(std::move(ca).error());
    auto ca_key = read_key(secret, "ca.key");
    if (!ca_key) return fail(std::move(ca_key).error());
    auto leaf = read_key(secret, "tls.crt");
    if (!leaf) return fail(std::move(leaf).error());
    auto leaf_key = read_key(secret, "tls.key");
    if (!leaf_key) return fail(std::move(leaf_key).error());
    return WebhookTls{{std::move(*ca), Secret(std::move(*ca_key))}, {std::move(*leaf), Secret(std::move(*leaf_key))}};
}

json build_tls_secret(const std::string& namespace_name, const WebhookTls& tls, const std::string& resource_version) {
    json metadata = {{"name", kTlsSecret},
                     {"namespace", namespace_name},
                     {"labels", {{"app.kubernetes.io/managed-by", names::kOperator}}}};
    if (!resource_version.empty()) metadata["resourceVersion"] = resource_version;
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata", std::move(metadata)},
            {"type", "Opaque"},
            {"data",
             {{"ca.crt", crypto::base64_encode(tls.ca.certificate_pem)},
              {"ca.key", crypto::base64_encode(tls.ca.key_pem.reveal())},
              {"tls.crt", crypto::base64_encode(tls.leaf.certificate_pem)},
              {"tls.key", crypto::base64_encode(tls.leaf.key_pem.reveal())}}}};
}

Result<crypto::CertificateAndKey> make_webhook_ca(TimePoint now) {
    crypto::CaRequest request;
    request.common_name = std::string(names::kOperator) + " webhook CA";
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
