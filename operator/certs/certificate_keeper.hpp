#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "common/metrics/page.hpp"
#include "operator/certs/given_certificate.hpp"
#include "operator/certs/plan.hpp"
#include "operator/kube/api.hpp"
#include "operator/runtime/store.hpp"
#include "operator/runtime/watcher.hpp"

namespace cvp::op {

/// How the webhook comes to its certificate.
struct CertificateOptions {
    std::chrono::milliseconds settle = std::chrono::seconds(60);  ///< of a new CA, before it signs
    std::chrono::milliseconds overlap = std::chrono::hours(1);    ///< of the old CA, after that
    std::filesystem::path given_directory;                        ///< not empty: served as given; nothing is made
};

/// Keeps the webhook's certificates: makes CA and leaf, keeps them in the Secret, hands the leaf to the server, renews
/// it, replaces the CA, and keeps the caBundle of the webhook configuration as the Secret says. A given certificate is
/// only served and reloaded: Secret and caBundle are then its owner's business.
///
/// Expected flow: two watches wake it, it reads the Secret and the webhook configuration, does what plan_certificates()
/// says and waits for the next change or date. All replicas serve what the Secret holds and judge whether the API
/// server accepts it; the leader alone writes. A write that lost a race is refused by its resourceVersion.
///
/// Caveats: without a webhook configuration it makes and serves a leaf, and is not trusted. While the API server cannot
/// be asked the last judgement stands.
///
/// Owner: the App, which spawns run() once, and after stop() joins it. `api` outlives it. One thread.
class CertificateKeeper {
public:
    /// Takes the leaf to serve from now on. Called whenever it changed; it must not throw.
    using OnLeaf = std::function<void(const crypto::CertificateAndKey& leaf)>;

    /// @param namespace_name where the operator runs: the Secret's namespace and part of the Service's name
    CertificateKeeper(asio::io_context& io, KubeApi& api, std::string namespace_name, OnLeaf on_leaf,
                      CertificateOptions options = {});

    /// Until stop().
    Awaitable<void> run();
    void stop();

    /// Whether this replica writes. It begins as a follower.
    void set_leader(bool is_leader);

    /// Whether the API server accepts the leaf that is served: what /readyz asks.
    bool is_trusted() const { return is_trusted_; }

    /// Adds how long CA and leaf last, whether the leaf is trusted, and how a given certificate was read.
    void describe(metrics::Page& page, SystemClock::time_point now) const;

private:
    enum class Step { done, look_again, failed };

    Awaitable<Step> step();
    Awaitable<Step> step_given();
    Awaitable<Step> act(CertificateState state);
    Awaitable<Step> write_secret(SecretChange change, std::vector<std::string> identities, std::string_view why);
    Awaitable<Step> write_bundle(std::string ca_pem);
    void serve(const crypto::CertificateAndKey& leaf);
    Step report(const KubeError& error);

    KubeApi& api_;
    std::string namespace_;
    OnLeaf on_leaf_;
    CertificateOptions options_;
    std::optional<GivenCertificate> given_;
    Event wake_;
    Store secrets_;
    Store configurations_;
    Watcher secret_watcher_;
    Watcher configuration_watcher_;
    TaskGroup watches_;

    std::string resource_version_;                     ///< of the Secret that was read last, "" where there was none
    std::optional<crypto::CertificateAndKey> served_;  ///< what was handed out last
    std::optional<SystemClock::time_point> ca_ends_;
    std::optional<SystemClock::time_point> leaf_ends_;
    std::string last_complaint_;  ///< what was logged since something last went well
    SystemClock::time_point look_again_;
    bool is_leader_ = false;
    bool is_trusted_ = false;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace cvp::op
