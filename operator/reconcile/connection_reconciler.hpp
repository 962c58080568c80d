#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <utility>

#include "operator/kube/api.hpp"
#include "operator/reconcile/call_quota.hpp"
#include "operator/reconcile/conditions.hpp"
#include "operator/reconcile/connection_cache.hpp"
#include "operator/reconcile/instance_lookup.hpp"
#include "operator/reconcile/knowledge.hpp"
#include "operator/reconcile/pod_counter.hpp"
#include "operator/reconcile/refresh_plan.hpp"
#include "operator/runtime/event_filter.hpp"
#include "operator/runtime/reconciler.hpp"

namespace cvp::op {

/// Brings one ValkeyConnection to its desired state: looks the instance up when that is due, keeps the ConfigMap equal
/// to the last good document, and writes the status where it changed.
///
/// Expected flow: read the object from the cache; recover what an earlier process knew; restore the ConfigMap; ask the
/// cloud if plan_refresh() says so and the quota lets us; write the ConfigMap; write the status; come again when the
/// next refresh is due.
/// Guarantees: the last good document stays on every error; a ConfigMap that is not ours is never touched; a restart
/// within the refresh interval makes no call and no write.
///
/// Owner: the ConnectionController; everything it is given outlives it. One thread.
class ConnectionReconciler final : public Reconciler {
public:
    /// What it did, for metrics.
    struct Counters {
        std::map<std::string, std::uint64_t> look_ups;  ///< by outcome: "Resolved" or the refusal's reason
        std::uint64_t config_map_writes = 0;
        std::uint64_t status_writes = 0;
    };

    /// Wall clock for what is written down, steady clock for the quota. A test's own wall clock drives both.
    struct Clock {
        Clock() : wall(&SystemClock::now), steady(&SteadyClock::now) {}
        template <class Wall>
        requires std::is_invocable_r_v<SystemClock::time_point, Wall> Clock(Wall own)  // NOLINT: as a function is given
            : wall(own), steady([own] { return SteadyClock::time_point(own().time_since_epoch()); }) {}

        std::function<SystemClock::time_point()> wall;
        std::function<SteadyClock::time_point()> steady;
    };

    ConnectionReconciler(KubeApi& api, Cloud& cloud, PlaceSource& place, const ConnectionCache& cache,
                         const PodCounter& pods, Clock clock = Clock(), CallQuota quota = CallQuota());

    Awaitable<Result<ReconcileResult>> reconcile(ReconcileRequest key) override;

    /// Is told what changed of a connection, after its status was written. Must not throw and must not block.
    using OnNotice = std::function<void(const ValkeyConnection&, EventText)>;
    void set_on_notice(OnNotice on_notice) { on_notice_ = std::move(on_notice); }

    /// From now on nothing is learned and nothing is written: calls are about to be cancelled, which says nothing of
    /// the cloud.
    void stop() { stopped_ = true; }

    const Counters& counters() const { return counters_; }

private:
    /// All that is kept for one connection.
    struct Memory {
        Knowledge known;
        std::optional<ConnectionStatus> published;  ///< the status that we wrote last; the cache may be behind
        std::optional<Seconds> pods_counted;        ///< when its count of pods was last put in
    };
    /// The status as it was written last.
    static const ConnectionStatus& last_status(const ValkeyConnection& connection, const Memory& memory) {
        return memory.published ? *memory.published : connection.status;
    }
    /// Nothing: the namespace is being deleted, so nothing is said.
    using MaybeState = std::optional<ConfigMapState>;

    Memory& remember(const ObjectKey& key, const ValkeyConnection& connection);
    void forget(const ObjectKey& key);

    Awaitable<Result<ReconcileResult>> reconcile_one(const ReconcileRequest& key, const ValkeyConnection& connection,
                                                     Memory& memory);
    Awaitable<Result<MaybeState>> sync_config_map(const ValkeyConnection& connection, const Knowledge& known);
    Awaitable<Result<MaybeState>> write_config_map(const ValkeyConnection& connection, nlohmann::json desired);
    Awaitable<Result<void>> publish(const ValkeyConnection& connection, Memory& memory, ConnectionStatus status);

    /// Puts the count of pods into a status that is about to be written, at most every 10 s.
    /// @return when to come again with a newer one, if there is one
    std::optional<SteadyClock::duration> put_pods(const ObjectKey& key, Memory& memory, ConnectionStatus& status);

    /// Makes the calls that are due.
    /// @return how long to wait for the quota first, or nothing: they were made
    Awaitable<std::optional<SteadyClock::duration>> look_up(const ReconcileRequest& key,
                                                            const ValkeyConnection& connection, Knowledge& known,
                                                            RefreshPlan plan);
    Awaitable<providers::Outcome> ask_instance(const providers::InstanceName& name, const ObjectKey& key,
                                               const ValkeyConnection& connection, Knowledge& known, RefreshPlan plan);
    Awaitable<std::optional<providers::Refusal>> ask_ca(const providers::InstanceName& name, std::string target,
                                                        Knowledge& known);
    /// Tells the quota how what was acquired has ended.
    void settle(const std::string& project, const ObjectKey& key, const std::optional<providers::Refusal>& refusal);
    void take(const ReconcileRequest& key, const ValkeyConnection& connection, Knowledge& known,
              providers::Outcome outcome);

    Seconds now() const { return to_seconds(clock_.wall()); }

    KubeApi& api_;
    InstanceLookup lookup_;
    const ConnectionCache& cache_;
    const PodCounter& pods_;
    Clock clock_;
    OnNotice on_notice_;
    CallQuota quota_;
    std::map<ObjectKey, Memory> memories_;
    std::mt19937 random_{std::random_device{}()};
    Counters counters_;
    bool stopped_ = false;
};

}  // namespace cvp::op
