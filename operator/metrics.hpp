#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "common/metrics/page.hpp"
#include "operator/reconcile/connection_reconciler.hpp"
#include "operator/runtime/controller.hpp"
#include "operator/runtime/event_recorder.hpp"
#include "operator/runtime/leader_elector.hpp"

namespace cvp::op {

/// Counts answers of the API server. Owner: the App. One thread.
class RestCounters {
public:
    /// @param status HTTP status, 0 where there was no answer
    void count(std::string_view method, std::string_view host, unsigned status, SteadyClock::duration latency);

    /// Adds rest_client_requests_total{code,method,host} and rest_client_request_duration_seconds{verb,host}, as
    /// client-go names them.
    void describe(metrics::Page& page) const;

private:
    std::map<std::tuple<std::string, std::string, unsigned>, std::uint64_t> counts_;
    std::map<std::pair<std::string, std::string>, metrics::Histogram> durations_;  ///< by method and host
};

/// Adds a controller's metrics under controller-runtime's names, so that existing dashboards work.
void describe_controller(metrics::Page& page, const Controller& controller, SteadyClock::time_point now);

/// Adds whether this replica leads, as client-go names it.
void describe_leader(metrics::Page& page, const LeaderElector& elector);

/// Adds the version: cloudvalkey_operator_info.
void describe_program(metrics::Page& page, std::string_view version);

/// Adds what the reconciler of ValkeyConnections did: cloudvalkey_operator_*.
void describe_events(metrics::Page& page, const EventRecorder::Counters& counters);
void describe_reconciler(metrics::Page& page, const ConnectionReconciler::Counters& counters);

}  // namespace cvp::op
