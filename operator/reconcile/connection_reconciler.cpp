#include "operator/reconcile/connection_reconciler.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/log/log.hpp"
#include "operator/reconcile/config_map.hpp"
#include "operator/reconcile/notice.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using providers::InstanceName;
using providers::Outcome;
using providers::Reason;
using providers::Refusal;
namespace memorystore = providers::memorystore;

constexpr std::string_view kStatusManager = "cloud-valkey-operator-status";
constexpr int kWriteTries = 4;
constexpr auto kSyncPoll = 100ms;
/// Nobody tells us when a foreign ConfigMap goes: our watch sees those with our label only.
constexpr SteadyClock::duration kConflictPoll = 15s;
constexpr auto kQuotaPause = 15s;
/// How long after a failed refresh of the CA it is tried again; meanwhile the last good one serves.
constexpr auto kCaRetry = 5min;
/// Between two counts of pods in one status: a rollout of many pods is not to become as many writes.
constexpr std::chrono::seconds kPodsInterval = 10s;

/// There is none any more: TLS was turned off, or the CA is the customer's.
void forget_ca(Knowledge& known) {
    known.ca_pem.clear();
    known.ca_target.clear();
    known.ca_refreshed.reset();
}

json build_status_apply(const ValkeyConnection& connection, const ConnectionStatus& status) {
    return {
        {"apiVersion", names::kApiVersion},
        {"kind", names::kConnectionKind},
        {"metadata", {{"name", connection.name}, {"namespace", connection.namespace_name}, {"uid", connection.uid}}},
        {"status", write_connection_status(status)}};
}

/// Whether a write failed because the object is no longer the one that was read: a stale version (409), or another uid,
/// which the server calls an attempt to change it (422).
bool is_another_object(const KubeError& error) {
    return error.error.code == ErrorCode::conflict ||
           (error.http_status == 422 && error.error.context.find("metadata.uid") != std::string::npos);
}

/// Whether a POST failed because the namespace is on its way out: nothing can be written there, nothing is to be said.
bool is_terminating(const KubeError& error) {
    return error.has_cause("NamespaceTerminating") || error.error.code == ErrorCode::not_found;
}

}  // namespace

ConnectionReconciler::ConnectionReconciler(KubeApi& api, Cloud& cloud, PlaceSource& place, const ConnectionCache& cache,
                                           const PodCounter& pods, Clock clock, CallQuota quota)
    : api_(api),
      lookup_(cloud, place),
      cache_(cache),
      pods_(pods),
      clock_(std::move(clock)),
      quota_(std::move(quota)) {}

Awaitable<Result<ReconcileResult>> ConnectionReconciler::reconcile(ReconcileRequest key) {
    if (!cache_.is_synced(key)) co_return requeue_after(kSyncPoll);
    const auto object = cache_.find_connection(key);
    const auto parsed = parse_valkey_connection(object ? *object : json());
    const auto& connection = parsed.connection;
    if (!object || connection.is_being_deleted) {
        forget(key);
        co_return done();
    }
    auto& memory = remember(key, connection);
    if (parsed.faults.empty()) co_return co_await reconcile_one(key, connection, memory);

    const auto& before = last_status(connection, memory);
    auto status = build_invalid_status(connection, describe_faults("spec", parsed.faults), before, now());
    const auto published = co_await publish(connection, memory, std::move(status));
    if (!published) co_return fail(published.error());
    co_return done();
}

ConnectionReconciler::Memory& ConnectionReconciler::remember(const ObjectKey& key, const ValkeyConnection& connection) {
    auto& memory = memories_[key];
    if (memory.known.uid == connection.uid) return memory;
    const ObjectKey config_map{key.namespace_name, connection.config_map_name()};
    memory =
        Memory{recover_knowledge(connection, cache_.find_config_map(config_map).get()), std::nullopt, std::nullopt};
    return memory;
}

void ConnectionReconciler::forget(const ObjectKey& key) {
    memories_.erase(key);
    quota_.forget(key);
}

Awaitable<Result<ReconcileResult>> ConnectionReconciler::reconcile_one(const ReconcileRequest& key,
                                                                       const ValkeyConnection& connection,
                                                                       Memory& memory) {
    auto& known = memory.known;
    if (!known.was_looked_up() && !memory.published && connection.status.conditions.empty()) {
        auto pending = build_pending_status(connection, connection.status, now());
        const auto published = co_await publish(connection, memory, std::move(pending));
        if (!published) co_return fail(published.error());
    }
    // What we have is restored before the cloud is asked: that may take seconds.
    auto state = co_await sync_config_map(connection, known);
    if (!state) co_return fail(std::move(state).error());

    const auto plan = plan_refresh(connection, known, now());
    std::optional<SteadyClock::duration> wait;
    if (plan.is_due() && *state) {
        wait = co_await look_up(key, connection, known, plan);
        if (stopped_) co_return done();
        if (!wait) state = co_await sync_config_map(connection, known);
        if (!state) co_return fail(std::move(state).error());
    }
    if (!*state) co_return done();

    std::optional<SteadyClock::duration> pods_wait;
    if (known.was_looked_up()) {
        const auto& before = last_status(connection, memory);
        auto status = build_status(connection, known, **state, before, now());
        pods_wait = put_pods(key, memory, status);
        const auto published = co_await publish(connection, memory, std::move(status));
        if (!published) co_return fail(published.error());
    }
    const bool is_settled = **state == ConfigMapState::written || **state == ConfigMapState::none;
    auto next = wait;
    if (const auto due = next_refresh(connection, known); !next && due) {
        next = std::max<SteadyClock::duration>(*due - now(), 1s);
    }
    if (!is_settled) next = std::min(next.value_or(kConflictPoll), kConflictPoll);
    if (pods_wait) next = std::min(next.value_or(*pods_wait), *pods_wait);
    co_return next ? requeue_after(*next) : done();
}

std::optional<SteadyClock::duration> ConnectionReconciler::put_pods(const ObjectKey& key, Memory& memory,
                                                                    ConnectionStatus& status) {
    auto counted = pods_.find(key);
    if (!counted || counted == status.pods) return std::nullopt;
    if (memory.pods_counted && now() < *memory.pods_counted + kPodsInterval) {
        return *memory.pods_counted + kPodsInterval - now();
    }
    memory.pods_counted = now();
    status.pods = std::move(counted);
    return std::nullopt;
}

Awaitable<Result<ConnectionReconciler::MaybeState>> ConnectionReconciler::sync_config_map(
    const ValkeyConnection& connection, const Knowledge& known) {
    if (!known.good) co_return ConfigMapState::none;
    auto desired = build_config_map(connection, write_resolved_connection(*known.good));
    const ObjectKey key{connection.namespace_name, connection.config_map_name()};
    const auto cached = cache_.find_config_map(key);
    if (ownership_of(cached.get(), connection) == Ownership::ours && is_up_to_date(*cached, desired)) {
        co_return ConfigMapState::written;
    }
    co_return co_await write_config_map(connection, std::move(desired));
}

Awaitable<Result<ConnectionReconciler::MaybeState>> ConnectionReconciler::write_config_map(
    const ValkeyConnection& connection, json desired) {
    const auto path = config_maps(connection.namespace_name, connection.config_map_name());
    for (int tries = 0; tries < kWriteTries; ++tries) {
        const auto live = co_await api_.get(path);
        if (!live && live.error().error.code != ErrorCode::not_found) co_return fail(live.error().error);

        const auto ownership = ownership_of(live ? &*live : nullptr, connection);
        if (ownership == Ownership::foreign) co_return ConfigMapState::taken;
        if (ownership == Ownership::stale) co_return ConfigMapState::waiting;
        if (ownership == Ownership::ours && is_up_to_date(*live, desired)) co_return ConfigMapState::written;

        auto object = desired;
        auto written = KubeResult<json>();
        if (ownership == Ownership::absent) {
            written = co_await api_.create(path, std::move(object));
        } else {
            add_preconditions(object, *live);
            ApplyOptions options{std::string(names::kOperator)};
            written = co_await api_.apply(path, std::move(object), std::move(options));
        }
        if (written) {
            ++counters_.config_map_writes;
            co_return ConfigMapState::written;
        }
        if (ownership == Ownership::absent && is_terminating(written.error())) co_return MaybeState();
        if (!is_another_object(written.error())) co_return fail(written.error().error);
    }
    co_return fail(ErrorCode::conflict, "writing " + path.describe() + ": it changes faster than it can be read");
}

Awaitable<Result<void>> ConnectionReconciler::publish(const ValkeyConnection& connection, Memory& memory,
                                                      ConnectionStatus status) {
    const auto& before = last_status(connection, memory);
    if (status == before) co_return Result<void>();
    const auto path = valkey_connections(connection.namespace_name, connection.name).with_subresource("status");
    auto object = build_status_apply(connection, status);
    ApplyOptions options{std::string(kStatusManager)};
    const auto written = co_await api_.apply(path, std::move(object), std::move(options));
    if (!written) {
        // Deleted, or replaced by another of its name: its own event brings us back.
        const bool is_gone = written.error().error.code == ErrorCode::not_found || is_another_object(written.error());
        if (!is_gone) co_return fail(written.error().error);
        co_return Result<void>();
    }
    ++counters_.status_writes;
    auto notice = notice_of(before, status);
    if (notice && on_notice_) on_notice_(connection, std::move(*notice));
    memory.published = std::move(status);
    co_return Result<void>();
}

Awaitable<std::optional<SteadyClock::duration>> ConnectionReconciler::look_up(const ReconcileRequest& key,
                                                                              const ValkeyConnection& connection,
                                                                              Knowledge& known, RefreshPlan plan) {
    if (const auto* self_hosted = connection.self_hosted()) {
        forget_ca(known);
        take(key, connection, known,
             Outcome{providers::endpoints::map(*self_hosted, connection.wishes()), std::nullopt});
        co_return std::nullopt;
    }
    const auto name = co_await lookup_.find_name(connection.memorystore()->name);
    if (stopped_) co_return std::nullopt;
    if (!name) {
        take(key, connection, known, Outcome{std::nullopt, name.error()});
        co_return std::nullopt;
    }
    const auto calls = static_cast<std::size_t>(plan.instance) + static_cast<std::size_t>(plan.ca);
    auto wait = quota_.acquire(name->project, key, calls, plan.is_urgent, clock_.steady());
    if (wait) co_return wait;

    if (plan.instance) {
        auto outcome = co_await ask_instance(*name, key, connection, known, plan);
        if (stopped_) co_return std::nullopt;
        settle(name->project, key, outcome.refusal);
        take(key, connection, known, std::move(outcome));
        co_return std::nullopt;
    }
    const auto refusal = co_await ask_ca(*name, known.ca_target, known);
    if (stopped_) co_return std::nullopt;
    settle(name->project, key, refusal);
    if (refusal) {
        log::warn("cannot refresh the CA, trying again", {{"namespace", key.namespace_name},
                                                          {"name", key.name},
                                                          {"reconcileID", key.id},
                                                          {"why", refusal->message}});
    } else if (known.good->tls.ca != known.ca_pem) {
        known.good->tls.ca = known.ca_pem;
        known.good->instance.changed_at = format_rfc3339(now());
    }
    co_return std::nullopt;
}

Awaitable<Outcome> ConnectionReconciler::ask_instance(const InstanceName& name, const ObjectKey& key,
                                                      const ValkeyConnection& connection, Knowledge& known,
                                                      RefreshPlan plan) {
    const auto facts = co_await lookup_.fetch_instance(name);
    if (!facts) {
        if (plan.ca) quota_.refund(name.project, key);
        co_return Outcome{std::nullopt, facts.error()};
    }
    std::optional<Refusal> ca_refusal;
    const auto target = memorystore::ca_target(name, *facts);
    if (!target) forget_ca(known);
    const bool is_new_target = target && known.ca_target != *target;
    const bool wants_ca = target && (plan.ca || is_new_target);
    if (plan.ca && !wants_ca) quota_.refund(name.project, key);
    if (!plan.ca && wants_ca) quota_.charge(name.project, key);
    if (wants_ca) ca_refusal = co_await ask_ca(name, *target, known);
    // The last good CA of this instance will do; that of another one never.
    if (ca_refusal && is_new_target) co_return Outcome{std::nullopt, std::move(ca_refusal)};

    auto outcome = memorystore::map(name, *facts, known.ca_pem, connection.wishes());
    if (!outcome.refusal) outcome.refusal = std::move(ca_refusal);
    co_return outcome;
}

Awaitable<std::optional<Refusal>> ConnectionReconciler::ask_ca(const InstanceName& name, std::string target,
                                                               Knowledge& known) {
    auto ca = co_await lookup_.fetch_ca(name, target);
    if (!ca) {
        if (known.ca_refreshed) known.ca_refreshed = now() - 1h + kCaRetry;
        co_return std::move(ca).error();
    }
    known.ca_pem = std::move(*ca);
    known.ca_target = std::move(target);
    known.ca_refreshed = now();
    co_return std::nullopt;
}

void ConnectionReconciler::settle(const std::string& project, const ObjectKey& key,
                                  const std::optional<Refusal>& refusal) {
    const auto now = clock_.steady();
    const bool is_exhausted = refusal && refusal->reason == Reason::quota_exhausted;
    if (!is_exhausted && !(refusal && refusal->reason == Reason::cloud_unavailable)) {
        quota_.succeeded(project, key, now);
        return;
    }
    const SteadyClock::duration asked = refusal->retry_after.value_or(0s);
    quota_.failed(project, key, is_exhausted ? std::max<SteadyClock::duration>(asked, kQuotaPause) : asked, now);
}

void ConnectionReconciler::take(const ReconcileRequest& key, const ValkeyConnection& connection, Knowledge& known,
                                Outcome outcome) {
    const auto reason = outcome.refusal ? outcome.refusal->reason : Reason::resolved;
    ++counters_.look_ups[std::string(to_string(reason))];
    const auto before = known.good ? known.good->instance.changed_at : "";
    const bool is_news = !known.was_looked_up() || (known.refusal ? known.refusal->reason : Reason::resolved) != reason;
    learn(known, connection, std::move(outcome), now());
    known.jitter = std::uniform_real_distribution<>(0.9, 1.1)(random_);

    if (known.refusal && is_news) {
        log::warn("cannot resolve a connection", {{"namespace", key.namespace_name},
                                                  {"name", key.name},
                                                  {"reconcileID", key.id},
                                                  {"reason", to_string(reason)},
                                                  {"why", known.refusal->message}});
    } else if (known.good && (is_news || known.good->instance.changed_at != before)) {
        log::info("resolved a connection", {{"namespace", key.namespace_name},
                                            {"name", key.name},
                                            {"reconcileID", key.id},
                                            {"instance", known.good->instance.full_name}});
    }
}

}  // namespace cvp::op
