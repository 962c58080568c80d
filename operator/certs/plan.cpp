#include "operator/certs/plan.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/contract/host.hpp"
#include "common/contract/names.hpp"
#include "common/crypto/base64.hpp"
#include "common/crypto/certificate.hpp"
#include "common/http/url.hpp"
#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using crypto::CertificateFacts;
using nlohmann::json;
using TimePoint = std::chrono::system_clock::time_point;

/// How long a healthy state is believed without a look: clocks are set, and a watch can be slow.
constexpr auto kRoutine = std::chrono::hours(12);

/// A member of our webhook's clientConfig, or "" where it is missing or no text.
const std::string& client_config(const json& configuration, std::string_view member) {
    const auto& webhooks = find_array(configuration, {"webhooks"});
    const auto index = index_of_named(webhooks, names::kWebhook);
    static const json kNone;
    return find_string(index < 0 ? kNone : webhooks[static_cast<std::size_t>(index)], {"clientConfig", member});
}

bool is_current(const CertificateFacts& facts, TimePoint now) {
    return facts.not_before <= now && now < facts.not_after;
}

/// A third of its life before its end.
TimePoint renewal_of(const CertificateFacts& leaf) {
    return leaf.not_after - (leaf.not_after - leaf.not_before) / 3;
}

/// Why the CA cannot sign the next leaf; empty if it can.
std::string_view fault_of_ca(const WebhookTls& tls, TimePoint now) {
    const auto ca = crypto::parse_certificate(tls.ca.certificate_pem);
    if (!ca || !ca->is_ca || !crypto::check_key_fits(tls.ca.certificate_pem, tls.ca.key_pem))
        return "the stored CA cannot be used";
    if (!is_current(*ca, now)) return "the stored CA is not valid now";
    if (ca->not_after < now + kLeafLife) return "the stored CA ends before a new leaf would";
    return "";
}

/// Why the leaf cannot be served at all; empty if it can.
std::string_view fault_of_leaf(const WebhookTls& tls, const CertificateFacts& leaf, TimePoint now) {
    if (!crypto::check_key_fits(tls.leaf.certificate_pem, tls.leaf.key_pem)) return "the stored key is not the leaf's";
    if (!crypto::check_signed_by(tls.leaf.certificate_pem, tls.ca.certificate_pem))
        return "the stored leaf is not the CA's";
    return is_current(leaf, now) ? "" : "the stored leaf is not valid now";
}

/// Why a leaf that can be served should be renewed; empty if it should not.
std::string_view reason_to_renew(const CertificateFacts& leaf, const CertificateState& state) {
    if (state.now >= renewal_of(leaf)) return "a third of the leaf's life is left";
    const auto is_on_leaf = [&](const std::string& identity) {
        return std::find(leaf.identities.begin(), leaf.identities.end(), identity) != leaf.identities.end();
    };
    return std::all_of(state.identities.begin(), state.identities.end(), is_on_leaf)
               ? ""
               : "the leaf lacks a name under which the API server calls";
}

}  // namespace

CertificatePlan plan_certificates(const CertificateState& state) {
    CertificatePlan plan;
    plan.look_again = state.now + kRoutine;
    if (!state.stored) {
        plan.make_ca = true;
        plan.why = "there is no usable Secret";
        return plan;
    }
    const auto& tls = *state.stored;
    const auto leaf = crypto::parse_certificate(tls.leaf.certificate_pem);
    const auto leaf_fault = leaf ? fault_of_leaf(tls, *leaf, state.now) : "the stored leaf cannot be read";
    plan.serve = leaf_fault.empty();

    if (const auto fault = fault_of_ca(tls, state.now); !fault.empty()) {
        plan.make_ca = true;
        plan.why = fault;
    } else if (const auto why = plan.serve ? reason_to_renew(*leaf, state) : leaf_fault; !why.empty()) {
        plan.make_leaf = true;
        plan.why = why;
    }
    if (plan.serve) plan.look_again = std::min(plan.look_again, std::max(renewal_of(*leaf), state.now));
    if (!state.live_bundle) return plan;

    plan.write_bundle = !plan.make_ca && *state.live_bundle != tls.ca.certificate_pem;
    plan.is_trusted = plan.serve && crypto::check_signed_by(tls.leaf.certificate_pem, *state.live_bundle).has_value();
    return plan;
}

std::vector<std::string> webhook_identities(const std::string& namespace_name, const json* configuration) {
    std::vector<std::string> identities{"dns:" + std::string(names::kOperator) + "." + namespace_name + ".svc"};
    if (configuration == nullptr) return identities;
    if (const auto url = http::parse_url(client_config(*configuration, "url")))
        identities.push_back((is_ip(url->origin.host) ? "ip:" : "dns:") + url->origin.host);
    return identities;
}

std::string live_ca_bundle(const json& configuration) {
    return crypto::base64_decode(client_config(configuration, "caBundle")).value_or("");
}

json build_ca_bundle_patch(const std::string& ca_pem) {
    json webhook = {{"name", names::kWebhook}, {"clientConfig", {{"caBundle", crypto::base64_encode(ca_pem)}}}};
    return {{"apiVersion", "admissionregistration.k8s.io/v1"},
            {"kind", "MutatingWebhookConfiguration"},
            {"metadata", {{"name", names::kOperator}}},
            {"webhooks", json::array({std::move(webhook)})}};
}

}  // namespace cvp::op
