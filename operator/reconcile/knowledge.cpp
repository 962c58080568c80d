#include "operator/reconcile/knowledge.hpp"

#include <utility>

#include "operator/reconcile/conditions.hpp"
#include "operator/reconcile/config_map.hpp"

namespace cvp::op {

Knowledge recover_knowledge(const ValkeyConnection& connection, const nlohmann::json* config_map) {
    Knowledge known;
    known.uid = connection.uid;
    const auto& status = connection.status;
    const auto* resolved = find_condition(status.conditions, kResolved);
    if (resolved != nullptr && resolved->status != ConditionStatus::unknown) {
        known.generation = status.observed_generation;
        known.handled_refresh = status.last_handled_refresh;
        known.last_refresh = parse_rfc3339(status.last_refresh_time);
        known.refusal = recover_refusal(*resolved);
        known.failures = known.refusal ? 1 : 0;
    }
    if (config_map == nullptr || ownership_of(config_map, connection) != Ownership::ours) return known;
    auto document = parse_resolved_connection(unedited_document(*config_map));
    if (document.faults.empty()) known.good = std::move(document.connection);
    return known;
}

void learn(Knowledge& known, const ValkeyConnection& connection, providers::Outcome outcome, Seconds now) {
    known.generation = connection.generation;
    known.handled_refresh = connection.refresh;
    known.last_refresh = now;
    known.failures = outcome.refusal ? known.failures + 1 : 0;
    known.refusal = std::move(outcome.refusal);
    if (!outcome.document) return;
    carry_changed_at(known.good ? &*known.good : nullptr, *outcome.document, format_rfc3339(now));
    known.good = std::move(outcome.document);
}

}  // namespace cvp::op
