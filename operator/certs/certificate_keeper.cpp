#include "operator/certs/certificate_keeper.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/backoff.hpp"
#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "common/log/log.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr std::string_view kBundleManager = "cloud-valkey-operator-ca";

/// Between two looks: whoever wipes the caBundle again and again costs ten writes a second, not all of the CPU.
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kFirstRetry = std::chrono::milliseconds(200);
constexpr auto kLastRetry = std::chrono::seconds(30);
constexpr auto kJoinLimit = std::chrono::seconds(5);

/// Waits are at most so long, so that a clock that was set does not delay a renewal for days.
constexpr auto kLongestWait = std::chrono::hours(1);

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

CertificateKeeper::CertificateKeeper(asio::io_context& io, KubeApi& api, std::string namespace_name, OnLeaf on_leaf)
    : api_(api),
      namespace_(std::move(namespace_name)),
      on_leaf_(std::move(on_leaf)),
      secret_watcher_(api, secrets(namespace_), only(kTlsSecret), secrets_,
                      [this](const StoreChange&) { changed_ = true, wake_.notify_all(); }),
      configuration_watcher_(api, mutating_webhook_configurations(), only(names::kOperator), configurations_,
                             [this](const StoreChange&) { changed_ = true, wake_.notify_all(); }),
      watches_(io) {}

Awaitable<void> CertificateKeeper::run() {
    watches_.spawn("watch of the webhook's Secret", secret_watcher_.run());
    watches_.spawn("watch of the webhook configuration", configuration_watcher_.run());
    Backoff backoff(kFirstRetry, kLastRetry);
    while (!stopped_) {
        changed_ = false;
        const auto outcome = co_await step();
        if (stopped_) break;
        co_await sleep_for(kPause);
        if (outcome == Step::look_again || changed_) continue;

        auto wait = std::min<SystemClock::duration>(kLongestWait, look_again_ - SystemClock::now());
        if (outcome == Step::failed) wait = backoff.next();
        if (outcome == Step::done) backoff.reset();
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

Awaitable<CertificateKeeper::Step> CertificateKeeper::step() {
    const auto secret = or_none(co_await api_.get(secrets(namespace_, std::string(kTlsSecret))));
    if (!secret) co_return report(secret.error());
    const auto configuration =
        or_none(co_await api_.get(mutating_webhook_configurations(std::string(names::kOperator))));
    if (!configuration) co_return report(configuration.error());

    CertificateState state;
    state.now = SystemClock::now();
    state.identities = webhook_identities(namespace_, *configuration ? &**configuration : nullptr);
    if (*configuration) state.live_bundle = live_ca_bundle(**configuration);
    resource_version_.clear();
    if (*secret) {
        resource_version_ = find_string(**secret, {"metadata", "resourceVersion"});
        auto stored = read_tls_secret(**secret);
        if (stored) {
            state.stored = std::move(*stored);
        } else {
            log::warn("the webhook's Secret cannot be read", {{"reason", stored.error().context}});
        }
    }

    auto plan = plan_certificates(state);
    look_again_ = plan.look_again;
    if (plan.serve) serve(state.stored->leaf);
    is_trusted_ = plan.is_trusted;
    if (plan.make_ca || plan.make_leaf) co_return co_await renew(std::move(state), std::move(plan));
    if (plan.write_bundle) co_return co_await write_bundle(state.stored->ca.certificate_pem);
    last_complaint_.clear();
    co_return Step::done;
}

Awaitable<CertificateKeeper::Step> CertificateKeeper::renew(CertificateState state, CertificatePlan plan) {
    WebhookTls tls;
    auto ca = plan.make_ca ? make_webhook_ca(state.now) : Result<crypto::CertificateAndKey>(state.stored->ca);
    if (!ca) co_return report(make_kube_error("making the webhook's CA", ca.error()));
    auto leaf = make_webhook_leaf(*ca, state.identities, state.now);
    if (!leaf) co_return report(make_kube_error("making the webhook's leaf", leaf.error()));
    tls.ca = std::move(*ca);
    tls.leaf = std::move(*leaf);

    ApplyOptions options{std::string(names::kOperator)};
    const auto written = co_await api_.apply(secrets(namespace_, std::string(kTlsSecret)),
                                             build_tls_secret(namespace_, tls, resource_version_), std::move(options));
    if (written) {
        log::info(plan.make_ca ? "made a CA and a leaf for the webhook" : "made a leaf for the webhook",
                  {{"because", plan.why}});
        co_return Step::look_again;
    }
    // Another replica was first: serve what it wrote.
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
    if (leaf.certificate_pem == served_) return;
    served_ = leaf.certificate_pem;
    on_leaf_(leaf);
}

CertificateKeeper::Step CertificateKeeper::report(const KubeError& error) {
    if (error.error.code == ErrorCode::cancelled) return Step::failed;
    if (last_complaint_ != error.error.context)
        log::warn("cannot keep the webhook's certificates; trying again", {{"reason", error.error.context}});
    last_complaint_ = error.error.context;
    return Step::failed;
}

}  // namespace cvp::op
