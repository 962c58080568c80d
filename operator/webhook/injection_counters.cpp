#include "operator/webhook/injection_counters.hpp"

namespace cvp::op {
namespace {

constexpr metrics::Metric kInjections{"cloudvalkey_operator_injections_total", metrics::Kind::counter,
                                      "Pods that asked for a sidecar and reached the webhook, by what came of it."};

}  // namespace

std::uint64_t InjectionCounters::value(std::string_view result, std::string_view reason) const {
    const auto found = counts_.find({result, reason});
    return found == counts_.end() ? 0 : found->second;
}

void InjectionCounters::describe(metrics::Page& page) const {
    // The one that dashboards divide by is there from the first scrape.
    if (value("injected", "") == 0) page.add(kInjections, {{"result", "injected"}, {"reason", ""}}, 0);
    for (const auto& [labels, count] : counts_) {
        page.add(kInjections, {{"result", labels.first}, {"reason", labels.second}}, static_cast<double>(count));
    }
}

}  // namespace cvp::op
