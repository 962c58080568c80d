#include "operator/metrics.hpp"

#include <numeric>

#include "common/contract/names.hpp"

namespace cvp::op {
namespace {

using metrics::Kind;
using metrics::Metric;

constexpr Metric kRestRequests{"rest_client_requests_total", Kind::counter,
                               "Answers of the API server by status code, method and host."};
constexpr Metric kRestDurations{"rest_client_request_duration_seconds", Kind::histogram,
                                "Time to an answer of the API server by method and host."};
/// @source client-go metrics: the same
const std::vector<double> kRestBuckets{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
constexpr Metric kReconciles{"controller_runtime_reconcile_total", Kind::counter,
                             "Reconciliations per controller by result."};
constexpr Metric kReconcileErrors{"controller_runtime_reconcile_errors_total", Kind::counter,
                                  "Reconciliations per controller that failed."};
constexpr Metric kTerminalErrors{"controller_runtime_terminal_reconcile_errors_total", Kind::counter,
                                 "Reconciliations per controller that failed and are not retried."};
constexpr Metric kPanics{"controller_runtime_reconcile_panics_total", Kind::counter,
                         "Reconciliations per controller that ended by an exception."};
constexpr Metric kReconcileTime{"controller_runtime_reconcile_time_seconds", Kind::histogram,
                                "Time of a reconciliation per controller."};
constexpr Metric kMaxWorkers{"controller_runtime_max_concurrent_reconciles", Kind::gauge, "Workers per controller."};
constexpr Metric kActiveWorkers{"controller_runtime_active_workers", Kind::gauge,
                                "Workers per controller that are in use."};
constexpr Metric kQueueDepth{"workqueue_depth", Kind::gauge, "Keys that are due and wait."};
constexpr Metric kQueueAdds{"workqueue_adds_total", Kind::counter, "Keys added."};
constexpr Metric kQueueRetries{"workqueue_retries_total", Kind::counter, "Keys added again after a failure."};
constexpr Metric kQueueTime{"workqueue_queue_duration_seconds", Kind::histogram, "How long keys wait."};
constexpr Metric kWorkTime{"workqueue_work_duration_seconds", Kind::histogram, "How long keys are worked on."};
constexpr Metric kUnfinished{"workqueue_unfinished_work_seconds", Kind::gauge,
                             "How long all keys that are being worked on have been so."};
constexpr Metric kLongest{"workqueue_longest_running_processor_seconds", Kind::gauge,
                          "How long the oldest key has been worked on."};
constexpr Metric kLeader{"leader_election_master_status", Kind::gauge, "1 on the replica that leads."};
constexpr Metric kSlowPaths{"leader_election_slowpath_total", Kind::counter, "Renewals that needed a read first."};
constexpr Metric kInfo{"cloudvalkey_operator_info", Kind::gauge, "Always 1; the version is a label."};
constexpr Metric kLookUps{"cloudvalkey_operator_instance_lookups_total", Kind::counter,
                          "Look-ups of an instance at the cloud by outcome."};
constexpr Metric kEvents{"cloudvalkey_operator_events_total", Kind::counter,
                         "Events about connections; label result is written, dropped (too many) or failed."};
constexpr Metric kConfigMapWrites{"cloudvalkey_operator_configmap_writes_total", Kind::counter,
                                  "ConfigMaps written: created, changed or restored."};
constexpr Metric kStatusWrites{"cloudvalkey_operator_status_writes_total", Kind::counter,
                               "Statuses of ValkeyConnections written."};

}  // namespace

void RestCounters::count(std::string_view method, std::string_view host, unsigned status,
                         SteadyClock::duration latency) {
    ++counts_[{std::string(method), std::string(host), status}];
    const auto place = std::pair(std::string(method), std::string(host));
    const auto seconds = std::chrono::duration<double>(latency).count();
    durations_.try_emplace(place, kRestBuckets).first->second.observe(seconds);
}

void RestCounters::describe(metrics::Page& page) const {
    for (const auto& [key, count] : counts_) {
        const auto& [method, host, status] = key;
        const auto code = status == 0 ? std::string("<error>") : std::to_string(status);
        page.add(kRestRequests, {{"code", code}, {"host", host}, {"method", method}}, static_cast<double>(count));
    }
    for (const auto& [place, histogram] : durations_)
        page.add(kRestDurations, {{"verb", place.first}, {"host", place.second}}, histogram);
}

void describe_controller(metrics::Page& page, const Controller& controller, SteadyClock::time_point now) {
    const auto& name = controller.name();
    const auto& counters = controller.counters();
    const auto add = [&](const Metric& metric, std::uint64_t value) {
        page.add(metric, {{"controller", name}}, static_cast<double>(value));
    };
    const auto add_result = [&](std::string_view result, std::uint64_t value) {
        page.add(kReconciles, {{"controller", name}, {"result", result}}, static_cast<double>(value));
    };
    add_result("success", counters.success);
    add_result("error", counters.error);
    add_result("requeue_after", counters.requeue_after);
    add(kReconcileErrors, counters.error);
    add(kTerminalErrors, counters.terminal_error);
    add(kPanics, counters.panic);
    page.add(kReconcileTime, {{"controller", name}}, counters.reconcile_seconds);
    add(kMaxWorkers, controller.workers());
    add(kActiveWorkers, controller.queue().in_progress());
    const auto add_queue = [&](const Metric& metric, std::uint64_t value) {
        page.add(metric, {{"name", name}, {"controller", name}}, static_cast<double>(value));
    };
    add_queue(kQueueDepth, controller.queue().depth(now));
    add_queue(kQueueAdds, counters.adds);
    add_queue(kQueueRetries, counters.retries);
    page.add(kQueueTime, {{"name", name}, {"controller", name}}, counters.queue_seconds);
    page.add(kWorkTime, {{"name", name}, {"controller", name}}, counters.reconcile_seconds);
    const auto ages = controller.under_way(now);
    const auto sum = std::accumulate(ages.begin(), ages.end(), SteadyClock::duration::zero());
    const auto add_seconds = [&](const Metric& metric, SteadyClock::duration value) {
        page.add(metric, {{"name", name}, {"controller", name}}, std::chrono::duration<double>(value).count());
    };
    add_seconds(kUnfinished, sum);
    add_seconds(kLongest, ages.empty() ? SteadyClock::duration::zero() : ages.front());
}

void describe_leader(metrics::Page& page, const LeaderElector& elector) {
    page.add(kLeader, {{"name", names::kOperator}}, elector.is_leader() ? 1 : 0);
    page.add(kSlowPaths, {{"name", names::kOperator}}, static_cast<double>(elector.slow_paths()));
}

void describe_program(metrics::Page& page, std::string_view version) {
    page.add(kInfo, {{"version", version}}, 1);
}

void describe_reconciler(metrics::Page& page, const ConnectionReconciler::Counters& counters) {
    for (const auto& [outcome, count] : counters.look_ups)
        page.add(kLookUps, {{"outcome", outcome}}, static_cast<double>(count));
    page.add(kConfigMapWrites, {}, static_cast<double>(counters.config_map_writes));
    page.add(kStatusWrites, {}, static_cast<double>(counters.status_writes));
}

void describe_events(metrics::Page& page, const EventRecorder::Counters& counters) {
    page.add(kEvents, {{"result", "written"}}, static_cast<double>(counters.written));
    page.add(kEvents, {{"result", "dropped"}}, static_cast<double>(counters.dropped));
    page.add(kEvents, {{"result", "failed"}}, static_cast<double>(counters.failed));
}

}  // namespace cvp::op
