#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace cvp::op {

/// `kubectl cloudvalkey …`, found by kubectl as kubectl-cloudvalkey on PATH: check, doctor, explain, inject, iam print,
/// version. The cluster is asked through kubectl; inject, iam print and explain -f want none.
/// @param in what "-f -" reads
/// @return the exit code: 0; 1 if a pod is refused, or something that was looked at fails; 64 for the command line or
///         a file
int run_plugin(std::vector<std::string> arguments, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace cvp::op
