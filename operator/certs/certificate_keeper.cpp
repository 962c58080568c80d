#include "operator/certs/certificate_keeper.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/backoff.hpp"
#include "common/contract/names.hpp"
#include "common/crypto/certificate.hpp"
#include "common/json_access.hpp"
#include "common/log/log.hpp"

namespace cvp::op {
namespace {

using metrics::Kind;
using metrics::Metric;
using nlohmann::json;

constexpr std::string_view kBundleManager = "cloud-valkey-operator-ca";

/// Between two looks: whoever wipes the caBundle again and again costs ten writes a second, not all of the CPU.
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kFirstRetry = std::chrono::milliseconds(200);
constexpr auto kLastRetry = std::chrono::seconds(30);
constexpr auto kJoinLimit = std::chrono::seconds(5);

/// Waits are at most so long, so that a clock that was set does not delay a renewal for days.
constexpr auto kLongestWait = std::chrono::hours(1);

/// How often a given certificate is read: the kubelet takes a minute to bring it.
constexpr auto kGivenPeriod = std::chrono::seconds(5);

constexpr Metric kCaExpiry{"cloudvalkey_operator_ca_expiry_seconds", Kind::gauge,
                           "Seconds until the webhook's CA ends; it is replaced long before."};
constexpr Metric kLeafExpiry{"cloudvalkey_operator_leaf_expiry_seconds", Kind::gauge,
                             "Seconds until the certificate that the webhook serves ends."};
constexpr Metric kTrusted{"cloudvalkey_operator_webhook_trusted", Kind::gauge,
                          "Whether the live caBundle accepts the certificate that the webhook serves."};

std::optional<SystemClock::time_point> end_of(const std::string& certificate_pem) {
    const auto facts = crypto::parse_certificate(certificate_pem);
    if (!facts) return std::nullopt;
    return facts->not_after;
}

WatchFsm::Selection only(std::string_view name) {
    WatchFsm::Selection selection;
    selection.field_selector = "metadata.name=" + std::string(name);
    return selection;
}

/// The object, or nothing where it does not exist.
KubeResult<std::optional<json>> or_none(KubeResult<json> result) {
    if (result) return std::optional<json>(std::move(*result));
    if (result.error().error.code == ErrorCode::not_found) return std::optional<json>();
    return tl::unexpected<KubeError>(std::move(result).error());
}

}  // namespace

CertificateKeeper::CertificateKeeper(asio::io_context& io, KubeApi& api, std::string namespace_name, OnLeaf on_leaf,
                                     CertificateOptions options)
    : api_(api),
      namespace_(std::move(namespace_name)),
      on_leaf_(std::move(on_leaf)),
      options_(std::move(options)),
      secret_watcher_(api, secrets(namespace_), only(kTlsSecret), secrets_,
                      [this](const StoreChange&) { changed_ = true, wake_.notify_all(); }),
      configuration_watcher_(api, mutating_webhook_configurations(), only(names::kOperator), configurations_,
                             [this](const StoreChange&) { changed_ = true, wake_.notify_all(); }),
      watches_(io) {
    if (!options_.given_directory.empty()) given_.emplace(options_.given_directory);
}

Awaitable<void> CertificateKeeper::run() {
    if (!given_) watches_.spawn("watch of the webhook's Secret", secret_watcher_.run());
    watches_.spawn("watch of the webhook configuration", configuration_watcher_.run());
    Backoff backoff(kFirstRetry, kLastRetry);
    while (!stopped_) {
        changed_ = false;
        const auto outcome = given_ ? co_await step_given() : co_await step();
        if (stopped_) break;
        co_await sleep_for(kPause);
        if (outcome == Step::look_again || changed_) continue;

        auto wait = std::min<SystemClock::duration>(kLongestWait, look_again_ - SystemClock::now());
        if (outcome == Step::failed) wait = backoff.next();
        if (outcome == Step::done) backoff.reset();
        if (given_) wait = std::min<SystemClock::duration>(wait, kGivenPeriod);
        if (!stopped_) co_await wake_.wait_until(SteadyClock::now() + std::max(wait, SystemClock::duration::zero()));
    }
    co_await watches_.join(SteadyClock::now() + kJoinLimit);
}

void CertificateKeeper::stop() {
    stopped_ = true;
    secret_watcher_.stop();
    configuration_watcher_.stop();
    wake_.notify_all();
}

void CertificateKeeper::set_leader(bool is_leader) {
    is_leader_ = is_leader;
    changed_ = true;
    wake_.notify_all();
}

Awaitable<CertificateKeeper::Step> CertificateKeeper::step() {
    const auto secret = or_none(co_await api_.get(secrets(namespace_, std::string(kTlsSecret))));
    if (!secret) co_return report(secret.error());
    const auto configuration =
        or_none(co_await api_.get(mutating_webhook_configurations(std::string(names::kOperator))));
    if (!configuration) co_return report(configuration.error());

    CertificateState state;
    state.now = SystemClock::now();
    state.identities = webhook_identities(namespace_, *configuration ? &**configuration : nullptr);
    state.served = served_;
    state.settle = options_.settle;
    state.overlap = options_.overlap;
    if (*configuration) state.live_bundle = live_ca_bundle(**configuration);
    resource_version_.clear();
    if (*secret) {
        resource_version_ = find_string(**secret, {"metadata", "resourceVersion"});
        state.stored = read_tls_secret(**secret);
    }
    ca_ends_ = state.stored ? end_of(state.stored->ca.certificate_pem) : std::nullopt;
    co_return co_await act(std::move(state));
}

Awaitable<CertificateKeeper::Step> CertificateKeeper::act(CertificateState state) {
    auto plan = plan_certificates(state);
    look_again_ = plan.look_again;
    if (plan.serve) serve(state.stored->leaf);
    is_trusted_ = plan.is_trusted;
    if (is_leader_ && plan.change)
        co_return co_await write_secret(std::move(*plan.change), std::move(state.identities), plan.why);
    if (is_leader_ && plan.bundle) co_return co_await write_bundle(std::move(*plan.bundle));
    last_complaint_.clear();
    co_return Step::done;
}

Awaitable<CertificateKeeper::Step> CertificateKeeper::step_given() {
    if (const auto pair = given_->read()) serve(*pair);
    const auto configuration =
        or_none(co_await api_.get(mutating_webhook_configurations(std::string(names::kOperator))));
    if (!configuration) co_return report(configuration.error());
    std::optional<std::string> live_bundle;
    if (*configuration) live_bundle = live_ca_bundle(**configuration);
    is_trusted_ = served_ && is_given_leaf_trusted(served_->certificate_pem, live_bundle);
    look_again_ = SystemClock::now() + kGivenPeriod;
    last_complaint_.clear();
    co_return Step::done;
}

Awaitable<CertificateKeeper::Step> CertificateKeeper::write_secret(SecretChange change,
                                                                   std::vector<std::string> identities,
                                                                   std::string_view why) {
    const auto now = SystemClock::now();
    if (change.make_ca) {
        auto ca = make_webhook_ca(now);
        if (!ca) co_return report(make_kube_error("making the webhook's CA", ca.error()));
        change.tls.ca = std::move(*ca);
    }
    if (change.make_leaf) {
        auto leaf = make_webhook_leaf(change.tls.ca, identities, now);
        if (!leaf) co_return report(make_kube_error("making the webhook's leaf", leaf.error()));
        change.tls.leaf = std::move(*leaf);
    }
    ApplyOptions options{std::string(names::kOperator)};
    const auto written =
        co_await api_.apply(secrets(namespace_, std::string(kTlsSecret)),
                            build_tls_secret(namespace_, change.tls, resource_version_), std::move(options));
    if (written) {
        log::info("wrote the webhook's certificates into the Secret",
                  {{"because", why}, {"new_ca", change.make_ca}, {"new_leaf", change.make_leaf}});
        co_return Step::look_again;
    }
    // Somebody else was first: serve what he wrote.
    if (written.error().error.code == ErrorCode::conflict) co_return Step::look_again;
    co_return report(written.error());
}

Awaitable<CertificateKeeper::Step> CertificateKeeper::write_bundle(std::string ca_pem) {
    ApplyOptions options{std::string(kBundleManager)};
    const auto written = co_await api_.apply(mutating_webhook_configurations(std::string(names::kOperator)),
                                             build_ca_bundle_patch(ca_pem), std::move(options));
    if (!written) co_return report(written.error());
    log::info("wrote the webhook's CA into the caBundle");
    co_return Step::look_again;
}

void CertificateKeeper::serve(const crypto::CertificateAndKey& leaf) {
    const bool is_same =
        served_ && served_->certificate_pem == leaf.certificate_pem && served_->key_pem == leaf.key_pem;
    if (is_same) return;
    served_ = leaf;
    leaf_ends_ = end_of(leaf.certificate_pem);
    on_leaf_(leaf);
}

void CertificateKeeper::describe(metrics::Page& page, SystemClock::time_point now) const {
    const auto seconds_to = [&](SystemClock::time_point end) {
        return std::chrono::duration<double>(end - now).count();
    };
    if (ca_ends_) page.add(kCaExpiry, {}, seconds_to(*ca_ends_));
    if (leaf_ends_) page.add(kLeafExpiry, {}, seconds_to(*leaf_ends_));
    page.add(kTrusted, {}, is_trusted_ ? 1 : 0);
    if (given_) given_->describe(page);
}

CertificateKeeper::Step CertificateKeeper::report(const KubeError& error) {
    if (error.error.code == ErrorCode::cancelled) return Step::failed;
    if (last_complaint_ != error.error.context)
        log::warn("cannot keep the webhook's certificates; trying again", {{"reason", error.error.context}});
    last_complaint_ = error.error.context;
    return Step::failed;
}

}  // namespace cvp::op
