#pragma once

#include <memory>

#include <boost/asio/signal_set.hpp>

#include "common/async/task_group.hpp"
#include "common/credentials/metadata_server.hpp"
#include "common/credentials/token_cache.hpp"
#include "common/http/server.hpp"
#include "operator/certs/certificate_keeper.hpp"
#include "operator/cloud/cloud_client.hpp"
#include "operator/cloud/place.hpp"
#include "operator/cluster_objects.hpp"
#include "operator/config.hpp"
#include "operator/exit_codes.hpp"
#include "operator/kube/client.hpp"
#include "operator/metrics.hpp"
#include "operator/probes.hpp"
#include "operator/reconcile/connection_controller.hpp"
#include "operator/runtime/leader_elector.hpp"
#include "operator/runtime/memory_trimmer.hpp"
#include "operator/webhook/injection_counters.hpp"

namespace cvp::op {

/// The running operator: the only place that constructs its parts. One thread, one io_context (and cpprestsdk's own
/// threads behind CloudClient).
///
/// Ports are taken before anything else happens. The webhook begins to listen with its first leaf; it needs no cache
/// and no lease. The watches run on every replica, so that a new leader starts warm; what writes runs on the leader.
/// Stop order: readiness off; the leader's work ends and the lease is given back; the webhook goes on answering with
/// `Connection: close` until every Service has dropped us; then the watches and the servers.
class App {
public:
    explicit App(Config config);
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    /// Serves until SIGTERM or SIGINT.
    /// @param faults what was wrong, one line each, where the result is kExitUsage or kExitCannotBind
    ExitCode run(Faults& faults);

private:
    ExitCode start(Faults& faults);
    Result<void> listen();
    bool injects() const { return config_.injection_mode == InjectionMode::webhook; }
    void lead();
    void serve_leaf(const crypto::CertificateAndKey& leaf);
    Readiness readiness() const;

    Awaitable<void> wait_for_signals();
    void begin_shutdown(SteadyClock::duration farewell);
    Awaitable<void> shut_down(SteadyClock::time_point farewell_ends);
    Awaitable<http::Response> answer_probes(http::Request request, http::Peer peer);
    Awaitable<http::Response> answer_metrics(http::Request request, http::Peer peer);

    Config config_;
    bool is_serving_ = false;
    bool is_shutting_down_ = false;
    ExitCode exit_code_ = kExitOk;

    asio::io_context io_{1};
    asio::signal_set signals_{io_};
    TaskGroup tasks_{io_};
    TaskGroup leading_{io_};  ///< what needs the lease, and who keeps it
    TaskGroup ending_{io_};   ///< waits for the tasks, so it is none of them
    RestCounters rest_counters_;
    InjectionCounters injections_;
    std::unique_ptr<KubeClient> kube_;
    std::unique_ptr<KubeClient> lease_kube_;  ///< never waits for the others' turns
    std::unique_ptr<LeaderElector> elector_;
    std::unique_ptr<http::Server> webhook_;
    std::unique_ptr<CertificateKeeper> certificates_;  ///< none in policy mode
    std::unique_ptr<ClusterObjects> cluster_objects_;
    MetadataServer metadata_;
    MetadataTokenSource token_source_;
    TokenCache tokens_;
    CloudClient cloud_;
    MetadataPlace place_;
    std::unique_ptr<ConnectionController> connections_;
    MemoryTrimmer memory_;
    http::Server probes_;
    http::Server metrics_;
};

}  // namespace cvp::op
