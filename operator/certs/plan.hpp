#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/certs/webhook_tls.hpp"

namespace cvp::op {

/// What the keeper of the webhook's certificates sees.
struct CertificateState {
    std::chrono::system_clock::time_point now;
    /// Names under which the API server calls us: "dns:…", "ip:…".
    std::vector<std::string> identities;
    /// What the Secret holds; nothing where it is missing or cannot be read.
    std::optional<WebhookTls> stored;
    /// The live caBundle, PEM ("" where it is empty); nothing where there is no webhook configuration.
    std::optional<std::string> live_bundle;
};

/// What is to be done, in this order. All false: everything is as it should be until `look_again`.
struct CertificatePlan {
    bool serve = false;                                ///< the stored leaf can be served: key, chain and time are right
    bool make_ca = false;                              ///< a new CA, and with it a new leaf, into the Secret
    bool make_leaf = false;                            ///< a new leaf of the stored CA into the Secret
    bool write_bundle = false;                         ///< the stored CA into the caBundle
    bool is_trusted = false;                           ///< the API server accepts the stored leaf: readiness
    std::string_view why;                              ///< why something is made, for the log
    std::chrono::system_clock::time_point look_again;  ///< when time alone will ask for something
};

/// Decides: a pure function.
CertificatePlan plan_certificates(const CertificateState& state);

/// Names under which the API server calls the webhook: the Service's, and the host of clientConfig.url where the
/// configuration has one (an operator outside the cluster).
std::vector<std::string> webhook_identities(const std::string& namespace_name, const nlohmann::json* configuration);

/// The caBundle of our webhook in a MutatingWebhookConfiguration, decoded; empty where it is empty or not ours.
std::string live_ca_bundle(const nlohmann::json& configuration);

/// Builds the server-side apply that owns the caBundle and nothing else.
nlohmann::json build_ca_bundle_patch(const std::string& ca_pem);

}  // namespace cvp::op
