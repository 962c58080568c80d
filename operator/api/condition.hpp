#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::op {

enum class ConditionStatus { unknown, true_, false_ };

/// "Unknown", "True", "False".
std::string_view to_string(ConditionStatus status);

/// metav1.Condition.
struct Condition {
    std::string type;
    ConditionStatus status = ConditionStatus::unknown;
    std::string reason;   ///< CamelCase, never empty
    std::string message;  ///< sentences that name the remedy
    std::int64_t observed_generation = 0;
    std::string last_transition_time;  ///< RFC 3339; moves only when `status` flips

    bool operator==(const Condition&) const = default;
};

/// The condition of that type, or nullptr.
const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);

/// Gives each condition of `fresh` its time: that of `old` where the status is the same, else `now`.
void carry_transition_times(const std::vector<Condition>& old, std::vector<Condition>& fresh, const std::string& now);

}  // namespace cvp::op
