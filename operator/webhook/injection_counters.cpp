#include "operator/webhook/injection_counters.hpp"

#include <string>

#include "common/contract/names.hpp"

namespace cvp::op {
namespace {

using metrics::Kind;
using metrics::Metric;

constexpr Metric kInjections{"cloudvalkey_operator_injections_total", Kind::counter,
                             "Pods that asked for a sidecar and reached the webhook, by what came of it."};
constexpr Metric kRequests{"controller_runtime_webhook_requests_total", Kind::counter,
                           "Total number of admission requests by HTTP status code."};
constexpr Metric kInFlight{"controller_runtime_webhook_requests_in_flight", Kind::gauge,
                           "Current number of admission requests being served."};
constexpr Metric kLatency{"controller_runtime_webhook_latency_seconds", Kind::histogram,
                          "Histogram of the latency of processing admission requests."};

}  // namespace

// controller-runtime's buckets begin at 5 ms, where ours would all be in the first one.
InjectionCounters::InjectionCounters()
    : answers_{{200, 0}, {500, 0}},
      latencies_({.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}) {}

void InjectionCounters::count_answer(unsigned status, SteadyClock::duration took) {
    ++answers_[status];
    latencies_.observe(std::chrono::duration<double>(took).count());
}

std::uint64_t InjectionCounters::value(std::string_view result, std::string_view reason) const {
    const auto found = counts_.find({result, reason});
    return found == counts_.end() ? 0 : found->second;
}

void InjectionCounters::describe(metrics::Page& page, std::size_t in_flight) const {
    // The one that dashboards divide by is there from the first scrape.
    if (value("injected", "") == 0) page.add(kInjections, {{"result", "injected"}, {"reason", ""}}, 0);
    for (const auto& [labels, count] : counts_) {
        page.add(kInjections, {{"result", labels.first}, {"reason", labels.second}}, static_cast<double>(count));
    }
    for (const auto& [status, count] : answers_) {
        page.add(kRequests, {{"webhook", names::kWebhookPath}, {"code", std::to_string(status)}},
                 static_cast<double>(count));
    }
    page.add(kInFlight, {{"webhook", names::kWebhookPath}}, static_cast<double>(in_flight));
    page.add(kLatency, {{"webhook", names::kWebhookPath}}, latencies_);
}

}  // namespace cvp::op
