#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operator/cli/finding.hpp"
#include "operator/cli/kubectl.hpp"

namespace cvp::op {

/// One check: its id is stable, and the heading of its section in docs/checks.md.
struct Check {
    std::string id;
    Finding finding;
};

/// `kubectl cloudvalkey check --pre`: can the product be installed here?
std::vector<Check> check_before(Kubectl& kubectl);

/// `kubectl cloudvalkey check`: does what is installed work? Nothing is stored: pods are asked for by dry runs.
/// @param operator_namespace where the release is
/// @param name_space a namespace in which pods are injected
std::vector<Check> check_installed(Kubectl& kubectl, const std::string& operator_namespace,
                                   const std::string& name_space, std::chrono::system_clock::time_point now);

/// The ids of all checks.
std::vector<std::string> check_ids();

/// "✓ …" and "✗ …", each of the latter with its remedy and the page that explains it.
std::string to_string(const std::vector<Check>& checks);

/// {"checks": [{"id", "ok", "text", "remedy", "hint"}]}
std::string to_json(const std::vector<Check>& checks);

}  // namespace cvp::op
