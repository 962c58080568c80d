#pragma once

#include <chrono>
#include <filesystem>
#include <iosfwd>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "operator/cli/finding.hpp"
#include "operator/kube/status_error.hpp"

namespace cvp::op {

/// `cloud-valkey-operator selftest`: what `helm test` runs.
struct SelftestOptions {
    std::string name_space;              ///< where a pod that asks must be injected
    std::string excluded_namespace;      ///< where it must stay bare; empty: not asked
    std::filesystem::path kubeconfig;    ///< empty: as a pod
    std::chrono::milliseconds patience;  ///< for an operator that has just been installed
};

/// A pod that asks for a connection, which need not exist: the webhook knows no connections.
nlohmann::json selftest_pod();

/// What the API server's answer to a dry run of selftest_pod() says of an installation.
/// @param is_excluded the namespace is one of those that nothing of ours looks at
Finding judge_admission(const KubeResult<nlohmann::json>& answer, const std::string& name_space, bool is_excluded);

/// Asks by dry runs, until all holds or patience ends; prints the findings to `out`. Nothing is stored.
/// @return the exit code: 0, 1 if something fails, 64 if the API server cannot be found
int run_selftest(const SelftestOptions& options, std::ostream& out, std::ostream& err);

}  // namespace cvp::op
