#include "operator/reconcile/notice.hpp"

#include "operator/reconcile/conditions.hpp"

namespace cvp::op {
namespace {

/// What each phase of a connection's life is called in the event's `action`.
constexpr auto kResolveAction = "Resolve";
constexpr auto kKeepAction = "KeepLastGood";

bool is(const Condition* condition, ConditionStatus status) {
    return condition != nullptr && condition->status == status;
}

/// Whether the condition says something else than before: message and time apart.
bool differs(const Condition* before, const Condition* after) {
    if (before == nullptr || after == nullptr) return before != after;
    return before->status != after->status || before->reason != after->reason;
}

}  // namespace

std::optional<EventText> notice_of(const ConnectionStatus& before, const ConnectionStatus& after) {
    const auto* ready = find_condition(after.conditions, kReady);
    const auto* resolved = find_condition(after.conditions, kResolved);
    const bool news = differs(find_condition(before.conditions, kReady), ready) ||
                      differs(find_condition(before.conditions, kResolved), resolved);
    if (!news || ready == nullptr || ready->status == ConditionStatus::unknown) return std::nullopt;
    if (ready->status == ConditionStatus::false_) {
        if (ready->reason == kPending) return std::nullopt;  // on its way by itself
        return EventText{true, ready->reason, kResolveAction, ready->message};
    }
    if (is(resolved, ConditionStatus::false_)) return EventText{true, ready->reason, kKeepAction, ready->message};
    return EventText{false, ready->reason, kResolveAction, ready->message};
}

}  // namespace cvp::op
