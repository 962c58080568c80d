#include "operator/certs/plan.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/contract/host.hpp"
#include "common/contract/names.hpp"
#include "common/crypto/base64.hpp"
#include "common/crypto/certificate.hpp"
#include "common/http/url.hpp"
#include "common/json_access.hpp"
#include "operator/certs/ca_bundle.hpp"

namespace cvp::op {
namespace {

using crypto::CertificateFacts;
using nlohmann::json;
using TimePoint = std::chrono::system_clock::time_point;

/// How long a healthy state is believed without a look: clocks are set, and a watch can be slow.
constexpr auto kRoutine = std::chrono::hours(12);

/// Stamps are rounded up, and the last leader's clock was another.
constexpr auto kStampTolerance = std::chrono::seconds(5);

/// Rotations that fail and begin again must not fill the caBundle.
constexpr std::size_t kMostOldCas = 4;

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

/// Whether a leaf can be served at all; who trusts it is another question.
bool is_sound(const crypto::CertificateAndKey& leaf, TimePoint now) {
    const auto facts = crypto::parse_certificate(leaf.certificate_pem);
    return facts && is_current(*facts, now) && crypto::check_key_fits(leaf.certificate_pem, leaf.key_pem).has_value();
}

/// Why the CA cannot sign; empty if it can.
std::string_view fault_of_ca(const CertificateState& state) {
    if (!state.stored) return "there is no Secret";
    const auto& ca = state.stored->ca;
    const auto facts = crypto::parse_certificate(ca.certificate_pem);
    if (!facts || !facts->is_ca || !crypto::check_key_fits(ca.certificate_pem, ca.key_pem))
        return "the stored CA cannot be used";
    return is_current(*facts, state.now) ? "" : "the stored CA is not valid now";
}

/// Why a CA that can sign should be replaced; empty if it should not.
std::string_view reason_to_rotate(const WebhookTls& tls, TimePoint now) {
    const auto ca = crypto::parse_certificate(tls.ca.certificate_pem);
    if (!ca || ca->not_after < now + kLeafLife) return "the stored CA ends before a new leaf would";
    if (!tls.rotation_asked.empty() && tls.rotation_asked != tls.rotation_done) return "the Secret's annotation asks";
    return "";
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

/// Whole seconds, as the Secret keeps them, and never early.
TimePoint stamp_of(TimePoint now) {
    return std::chrono::ceil<std::chrono::seconds>(now);
}

/// Plans one look: what is served, then the first thing that has to be written.
class Planner {
public:
    explicit Planner(const CertificateState& state)
        : state_(state),
          tls_(state.stored ? *state.stored : WebhookTls()),
          live_(state.live_bundle.value_or(""), state.now),
          ca_(tls_.ca.certificate_pem, state.now),
          old_(tls_.old_ca_pem, state.now),
          ca_fault_(fault_of_ca(state)) {
        plan_.look_again = state.now + kRoutine;
    }

    CertificatePlan plan() {
        choose_leaf();
        if (!in_use_) {
            replace_lost_leaf();
        } else if (!ca_fault_.empty()) {
            start_rotation(ca_fault_);
        } else if (!keep_what_is_served()) {
            go_on();
        }
        if (plan_.change) plan_.bundle.reset();
        return std::move(plan_);
    }

private:
    /// What there is to know of a leaf. Its key is decoded once: that is the dear part.
    struct Leaf {
        const crypto::CertificateAndKey* pair = nullptr;
        std::string signer;          ///< the CA, one before it or, failing both, what the API server trusts
        std::string trusted_signer;  ///< among those that the API server trusts

        bool is_usable() const { return !signer.empty(); }
        bool is_trusted() const { return !trusted_signer.empty(); }
    };

    Leaf examine(const crypto::CertificateAndKey& pair) const {
        Leaf leaf{&pair, {}, {}};
        if (!is_sound(pair, state_.now)) return leaf;
        auto known = ca_;
        known.add(old_);
        known.add(live_);
        leaf.signer = known.signer_of(pair.certificate_pem);
        leaf.trusted_signer = live_.signer_of(pair.certificate_pem);
        return leaf;
    }

    /// A replica never leaves a leaf that the API server trusts for one that it does not.
    void choose_leaf() {
        const auto stored = examine(tls_.leaf);
        const bool is_same = state_.served && state_.served->certificate_pem == tls_.leaf.certificate_pem &&
                             state_.served->key_pem == tls_.leaf.key_pem;
        const auto served = is_same ? stored : state_.served ? examine(*state_.served) : Leaf();
        plan_.serve = stored.is_usable() && (stored.is_trusted() || !served.is_trusted());
        const auto& serving = plan_.serve ? stored : served;
        plan_.is_trusted = serving.is_trusted();
        needed_.add(serving.trusted_signer);

        const auto& in_use = stored.is_usable() ? stored : served;
        if (!in_use.is_usable()) return;
        in_use_ = in_use.pair;
        signer_ = in_use.signer;
        needed_.add(signer_);
    }

    SecretChange& change(std::string_view why) {
        plan_.why = why;
        auto& change = plan_.change.emplace();
        change.tls = tls_;
        if (in_use_ != nullptr) change.tls.leaf = *in_use_;
        change.tls.old_ca_pem = old_.pem();
        return change;
    }

    /// Other replicas may still serve a leaf of a CA of ours that the API server trusts at present.
    void replace_lost_leaf() {
        const bool is_ca_lost = !ca_fault_.empty();
        old_.add(is_ca_lost ? live_.of_subject(kCaSubject) : live_.of_subject(kCaSubject).without(ca_));
        old_.limit(kMostOldCas);
        auto& made = change(is_ca_lost ? ca_fault_ : "the stored leaf cannot be used");
        made.make_ca = is_ca_lost;
        made.make_leaf = true;
        if (is_ca_lost) made.tls.rotation_done = tls_.rotation_asked;
        made.tls.step_since.reset();
        if (!old_.empty()) made.tls.step_since = stamp_of(state_.now);
    }

    void start_rotation(std::string_view why) {
        CaBundle old;
        old.add(signer_);
        old.add(old_);
        old.limit(kMostOldCas);
        old_ = old;
        auto& started = change(why);
        started.make_ca = true;
        started.tls.rotation_done = tls_.rotation_asked;
        started.tls.step_since.reset();
    }

    bool is_of_ca() const { return ca_.holds(signer_); }

    /// Where the stored leaf is broken, the served one belongs into the Secret; and into the bundle belongs every CA
    /// that the API server needs for what is served.
    bool keep_what_is_served() {
        const auto missing = needed_.without(ca_).without(old_);
        const bool is_restored = in_use_ != &tls_.leaf;
        if (missing.empty() && !is_restored) return false;
        old_.add(missing);
        auto& kept = change(is_restored ? "the stored leaf cannot be used" : "the CA of the leaf in use is not stored");
        kept.tls.step_since.reset();
        if (is_of_ca() && !old_.empty()) kept.tls.step_since = stamp_of(state_.now);
        return true;
    }

    void go_on() {
        if (is_of_ca() && old_.empty()) {
            if (const auto why = reason_to_rotate(tls_, state_.now); !why.empty()) return start_rotation(why);
        }
        const bool is_settling = !is_of_ca();
        const bool is_live = ca_.without(live_).empty();
        if (is_settling && tls_.step_since && !is_live) {
            change("the caBundle lost the new CA").tls.step_since.reset();
            return;
        }
        auto bundle = ca_;
        bundle.add(old_);
        if (state_.live_bundle && *state_.live_bundle != bundle.pem()) plan_.bundle = bundle.pem();
        if (!is_settling) {
            if (old_.empty() || !overlap()) renew();
        } else if (is_live) {
            settle();
        }
    }

    /// Begins a step's time where it has none, or where the clock was set back behind it.
    bool begin_step(std::string_view why) {
        if (tls_.step_since && *tls_.step_since <= state_.now + kStampTolerance) return false;
        change(why).tls.step_since = stamp_of(state_.now);
        return true;
    }

    bool is_over(std::chrono::milliseconds duration) {
        const auto end = *tls_.step_since + duration;
        if (state_.now >= end) return true;
        look_at(end);
        return false;
    }

    void settle() {
        if (begin_step("the live caBundle holds the new CA") || !is_over(state_.settle)) return;
        auto& signed_anew = change("the new CA has settled");
        signed_anew.make_leaf = true;
        signed_anew.tls.step_since = stamp_of(state_.now);
    }

    bool overlap() {
        if (begin_step("the leaf is the new CA's")) return true;
        if (!is_over(state_.overlap)) return false;
        auto& ended = change("nobody needs the old CA");
        ended.tls.old_ca_pem.clear();
        ended.tls.step_since.reset();
        return true;
    }

    void renew() {
        const auto facts = crypto::parse_certificate(in_use_->certificate_pem);
        if (!facts) return;
        const auto why = reason_to_renew(*facts, state_);
        if (why.empty()) return look_at(renewal_of(*facts));
        change(why).make_leaf = true;
    }

    void look_at(TimePoint time) { plan_.look_again = std::min(plan_.look_again, std::max(time, state_.now)); }

    const CertificateState& state_;
    const WebhookTls tls_;
    const CaBundle live_;
    const CaBundle ca_;  ///< the stored CA, or nothing
    CaBundle old_;
    const std::string_view ca_fault_;
    const crypto::CertificateAndKey* in_use_ = nullptr;  ///< the leaf that the Secret should hold; none: it is lost
    std::string signer_;                                 ///< of the leaf in use
    CaBundle needed_;  ///< by the API server, for the leaf in use and for what is served
    CertificatePlan plan_;
};

}  // namespace

CertificatePlan plan_certificates(const CertificateState& state) {
    return Planner(state).plan();
}

bool is_given_leaf_trusted(const std::string& leaf_pem, const std::optional<std::string>& live_bundle) {
    return !live_bundle || live_bundle->empty() || crypto::check_signed_by(leaf_pem, *live_bundle).has_value();
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
