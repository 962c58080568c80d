#pragma once

#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "operator/certs/plan.hpp"
#include "operator/kube/api.hpp"
#include "operator/runtime/store.hpp"
#include "operator/runtime/watcher.hpp"

namespace cvp::op {

/// Keeps the webhook's certificates: makes CA and leaf, keeps them in the Secret, hands the leaf to the server, renews
/// it, and keeps the caBundle of the webhook configuration equal to the CA.
///
/// Expected flow: two watches wake it, it reads the Secret and the webhook configuration, does what plan_certificates()
/// says and waits for the next change or date. Several replicas may run: all serve what the Secret holds, and a write
/// that lost a race is refused by its resourceVersion and read again.
///
/// Caveats: without a webhook configuration it makes and serves a leaf, and is not trusted.
///
/// Owner: the App, which spawns run() once, and after stop() joins it. `api` outlives it. One thread.
class CertificateKeeper {
public:
    /// Takes the leaf to serve from now on. Called whenever it changed; it must not throw.
    using OnLeaf = std::function<void(const crypto::CertificateAndKey& leaf)>;

    /// @param namespace_name where the operator runs: the Secret's namespace and part of the Service's name
    CertificateKeeper(asio::io_context& io, KubeApi& api, std::string namespace_name, OnLeaf on_leaf);

    /// Until stop().
    Awaitable<void> run();
    void stop();

    /// Whether the API server accepts the leaf that is served: what /readyz asks.
    bool is_trusted() const { return is_trusted_; }

private:
    enum class Step { done, look_again, failed };

    Awaitable<Step> step();
    Awaitable<Step> renew(CertificateState state, CertificatePlan plan);
    Awaitable<Step> write_bundle(std::string ca_pem);
    void serve(const crypto::CertificateAndKey& leaf);
    Step report(const KubeError& error);

    KubeApi& api_;
    std::string namespace_;
    OnLeaf on_leaf_;
    Event wake_;
    Store secrets_;
    Store configurations_;
    Watcher secret_watcher_;
    Watcher configuration_watcher_;
    TaskGroup watches_;

    std::string resource_version_;  ///< of the Secret that was read last, "" where there was none
    std::string served_;            ///< the certificate that was handed out last
    std::string last_complaint_;    ///< what was logged since something last went well
    SystemClock::time_point look_again_;
    bool is_trusted_ = false;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace cvp::op
