#pragma once

#include <string>
#include <vector>

namespace cvp::op {

/// One thing that was looked at.
struct Finding {
    enum class Verdict { holds, fails, note };
    Verdict verdict = Verdict::holds;
    std::string text;    ///< what was found
    std::string remedy;  ///< of one that fails: what to do
};

/// "✓ …", "✗ …" with the remedy on a line of its own, "· …" for notes.
std::string to_string(const std::vector<Finding>& findings);

bool any_fails(const std::vector<Finding>& findings);

}  // namespace cvp::op
