#include "operator/reconcile/conditions.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "common/crypto/certificate.hpp"
#include "common/printable.hpp"
#include "common/providers/endpoints.hpp"

namespace cvp::op {
namespace {

using providers::Reason;

constexpr std::string_view kNameConflict = "NameConflict";
constexpr std::string_view kInvalidSpec = "InvalidSpec";

constexpr std::array kReasons{
    Reason::instance_not_found, Reason::permission_denied,          Reason::api_disabled,
    Reason::quota_exhausted,    Reason::cloud_unavailable,          Reason::instance_not_ready,
    Reason::network_ambiguous,  Reason::cluster_mode_not_supported, Reason::token_unprotected};

/// One condition's content, before generation and time.
struct Verdict {
    ConditionStatus status = ConditionStatus::unknown;
    std::string reason;
    std::string message;
};

ConditionStatus as_status(bool value) {
    return value ? ConditionStatus::true_ : ConditionStatus::false_;
}

ResolvedSummary summarize(const ResolvedConnection& document) {
    ResolvedSummary summary;
    summary.instance = document.instance.full_name;
    summary.topology = to_string(document.topology);
    summary.tls = to_string(document.tls.mode);
    summary.auth = to_string(document.auth.mode);
    for (const auto& endpoint : document.endpoints) {
        if (endpoint.role == EndpointRole::reader)
            summary.readers.push_back(providers::endpoints::format_address(endpoint));
    }
    if (const auto* primary = document.find(EndpointRole::primary))
        summary.endpoint = providers::endpoints::format_address(*primary);
    return summary;
}

/// When the first of the CA's certificates expires, or "".
std::string expiry_of(const std::string& ca_pem) {
    const auto certificates = crypto::parse_certificates(ca_pem);
    if (!certificates) return "";
    const auto first = std::min_element(certificates->begin(), certificates->end(),
                                        [](const auto& a, const auto& b) { return a.not_after < b.not_after; });
    return format_rfc3339(first->not_after);
}

Verdict judge_resolved(const Knowledge& known) {
    if (!known.was_looked_up()) {
        return {ConditionStatus::unknown, std::string(kPending), "the instance has not been looked up yet"};
    }
    if (known.refusal) {
        return {ConditionStatus::false_, std::string(to_string(known.refusal->reason)), known.refusal->message};
    }
    return {ConditionStatus::true_, std::string(to_string(Reason::resolved)), "the last look-up succeeded"};
}

Verdict judge_ready(const ValkeyConnection& connection, const Knowledge& known, ConfigMapState config_map) {
    const auto name = connection.config_map_name();
    if (config_map == ConfigMapState::taken) {
        return {ConditionStatus::false_, std::string(kNameConflict),
                fmt::format("the ConfigMap {} exists and is not ours, so it was left alone: delete or rename it, or "
                            "give this connection another name",
                            name)};
    }
    if (config_map == ConfigMapState::waiting) {
        return {ConditionStatus::false_, std::string(kPending),
                fmt::format("the ConfigMap {} of an earlier connection of this name is being removed", name)};
    }
    if (config_map == ConfigMapState::none) {
        auto verdict = judge_resolved(known);
        if (verdict.status == ConditionStatus::true_) verdict.status = ConditionStatus::unknown;
        return verdict;
    }
    if (!known.refusal) {
        return {ConditionStatus::true_, std::string(to_string(Reason::resolved)),
                fmt::format("the ConfigMap {} holds the configuration of {}", name, known.good->instance.full_name)};
    }
    const auto reason = std::string(to_string(known.refusal->reason));
    if (needs_an_edit(known.refusal->reason)) return {ConditionStatus::false_, reason, known.refusal->message};
    return {ConditionStatus::true_, reason,
            fmt::format("the ConfigMap {} holds the last good configuration, of {}; the last look-up failed: {}", name,
                        known.good->instance.changed_at, known.refusal->message)};
}

bool is_stalled(const Knowledge& known, ConfigMapState config_map) {
    return config_map == ConfigMapState::taken || (known.refusal && needs_an_edit(known.refusal->reason));
}

/// The schema's bound on a message, kept with room to spare and without cutting a character in two.
std::string bounded(std::string text) {
    constexpr std::size_t kMost = 4000;
    if (text.size() <= kMost) return text;
    return std::string(whole_characters(text, kMost)) + "…";
}

Condition make_condition(std::string_view type, Verdict verdict, std::int64_t generation) {
    verdict.message = bounded(std::move(verdict.message));
    return {std::string(type), verdict.status, std::move(verdict.reason), std::move(verdict.message), generation, ""};
}

/// The four conditions: `stalled` and "neither ready nor stalled" decide the two abnormal ones.
std::vector<Condition> make_conditions(Verdict ready, Verdict resolved, bool stalled, std::int64_t generation) {
    const bool reconciling = ready.status != ConditionStatus::true_ && !stalled;
    const Verdict is_reconciling{as_status(reconciling), ready.reason, reconciling ? ready.message : ""};
    const Verdict is_stalled{as_status(stalled), ready.reason, stalled ? ready.message : ""};
    return {make_condition(kReady, std::move(ready), generation),
            make_condition(kResolved, std::move(resolved), generation),
            make_condition(kReconciling, is_reconciling, generation), make_condition(kStalled, is_stalled, generation)};
}

}  // namespace

ConnectionStatus build_status(const ValkeyConnection& connection, const Knowledge& known, ConfigMapState config_map,
                              const ConnectionStatus& before, Seconds now) {
    ConnectionStatus status;
    status.observed_generation = known.generation;
    status.conditions = make_conditions(judge_ready(connection, known, config_map), judge_resolved(known),
                                        is_stalled(known, config_map), known.generation);
    carry_transition_times(before.conditions, status.conditions, format_rfc3339(now));
    if (known.last_refresh) status.last_refresh_time = format_rfc3339(*known.last_refresh);
    status.last_handled_refresh = known.handled_refresh;
    status.pods = before.pods;
    if (known.good && config_map == ConfigMapState::written) {
        status.resolved = summarize(*known.good);
        status.ca_expires_at = expiry_of(known.good->tls.ca);
        status.config_map = connection.config_map_name();
    }
    return status;
}

ConnectionStatus build_pending_status(const ValkeyConnection& connection, const ConnectionStatus& before, Seconds now) {
    Knowledge nothing;
    nothing.generation = connection.generation;
    return build_status(connection, nothing, ConfigMapState::none, before, now);
}

ConnectionStatus build_invalid_status(const ValkeyConnection& connection, const std::string& faults,
                                      const ConnectionStatus& before, Seconds now) {
    const Verdict invalid{
        ConditionStatus::false_, std::string(kInvalidSpec),
        "this version of the operator cannot read the spec; what was written before stays: " + faults};
    auto status = before;
    status.observed_generation = connection.generation;
    status.conditions = make_conditions(invalid, invalid, true, connection.generation);
    carry_transition_times(before.conditions, status.conditions, format_rfc3339(now));
    return status;
}

std::optional<providers::Refusal> recover_refusal(const Condition& resolved) {
    if (resolved.status != ConditionStatus::false_) return std::nullopt;
    const auto found = std::find_if(kReasons.begin(), kReasons.end(),
                                    [&](Reason reason) { return to_string(reason) == resolved.reason; });
    const auto reason = found == kReasons.end() ? Reason::cloud_unavailable : *found;
    return providers::Refusal{reason, resolved.message, std::nullopt};
}

}  // namespace cvp::op
