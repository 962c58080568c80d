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
    /// What the Secret holds; nothing where there is none.
    std::optional<WebhookTls> stored;
    /// The live caBundle, PEM ("" where it is empty); nothing where there is no webhook configuration.
    std::optional<std::string> live_bundle;
    /// The leaf that this replica serves; nothing before the first.
    std::optional<crypto::CertificateAndKey> served;
    /// New CA in the live caBundle → leaf of it; that leaf → the old CA leaves the caBundle.
    std::chrono::milliseconds settle = std::chrono::seconds(60);
    std::chrono::milliseconds overlap = std::chrono::hours(1);
};

/// What the Secret shall hold from now on.
struct SecretChange {
    WebhookTls tls;          ///< all of it but what is to be made
    bool make_ca = false;    ///< a new CA
    bool make_leaf = false;  ///< a new leaf, of `tls.ca` or of the CA that is made
};

/// What is to be done. Every replica serves and judges; the leader writes, then looks again: one thing at a time, the
/// Secret before the bundle, so that whoever leads next finds the same state and plans the same.
struct CertificatePlan {
    bool serve = false;       ///< the stored leaf is to be served; false: whatever is served at present goes on
    bool is_trusted = false;  ///< the API server accepts what is served then: readiness
    std::optional<SecretChange> change;
    std::optional<std::string> bundle;                 ///< to be written into the caBundle
    std::string_view why;                              ///< why something is written, for the log
    std::chrono::system_clock::time_point look_again;  ///< when time alone will ask for something
};

/// Decides: a pure function.
///
/// A CA is replaced in four steps. A new CA goes into the Secret, the leaf stays, the bundle becomes both CAs. After
/// `settle` in the live object the leaf is the new CA's. After `overlap` the old CA goes. A bundle that loses the new
/// CA before the leaf is its begins the settling anew.
CertificatePlan plan_certificates(const CertificateState& state);

/// Whether the API server accepts a leaf that somebody else provides: an empty caBundle means the system's roots, and
/// without a webhook configuration there is nobody to ask.
bool is_given_leaf_trusted(const std::string& leaf_pem, const std::optional<std::string>& live_bundle);

/// Names under which the API server calls the webhook: the Service's, and the host of clientConfig.url where the
/// configuration has one (an operator outside the cluster).
std::vector<std::string> webhook_identities(const std::string& namespace_name, const nlohmann::json* configuration);

/// The caBundle of our webhook in a MutatingWebhookConfiguration, decoded; empty where it is empty or not ours.
std::string live_ca_bundle(const nlohmann::json& configuration);

/// Builds the server-side apply that owns the caBundle and nothing else.
nlohmann::json build_ca_bundle_patch(const std::string& ca_pem);

}  // namespace cvp::op
