#include "operator/api/condition.hpp"

#include <algorithm>

namespace cvp::op {

std::string_view to_string(ConditionStatus status) {
    switch (status) {
        case ConditionStatus::unknown:
            return "Unknown";
        case ConditionStatus::true_:
            return "True";
        case ConditionStatus::false_:
            return "False";
    }
    return "Unknown";
}

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
    const auto found =
        std::find_if(conditions.begin(), conditions.end(), [type](const Condition& c) { return c.type == type; });
    return found == conditions.end() ? nullptr : &*found;
}

void carry_transition_times(const std::vector<Condition>& old, std::vector<Condition>& fresh, const std::string& now) {
    for (auto& condition : fresh) {
        const auto* before = find_condition(old, condition.type);
        const bool is_same = before != nullptr && before->status == condition.status;
        condition.last_transition_time = is_same ? before->last_transition_time : now;
    }
}

}  // namespace cvp::op
