#include "operator/cli/finding.hpp"

#include <algorithm>

namespace cvp::op {

std::string to_string(const std::vector<Finding>& findings) {
    std::string text;
    for (const auto& finding : findings) {
        text += finding.verdict == Finding::Verdict::holds   ? "✓ "
                : finding.verdict == Finding::Verdict::fails ? "✗ "
                                                             : "· ";
        text += finding.text + "\n";
        if (!finding.remedy.empty()) text += "  → " + finding.remedy + "\n";
    }
    return text;
}

bool any_fails(const std::vector<Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const auto& finding) { return finding.verdict == Finding::Verdict::fails; });
}

}  // namespace cvp::op
