#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "tests/support/process.hpp"

namespace cvp::test {

/// Runs kubectl as the administrator of the cluster in $CVP_CLUSTER. @return what it printed. Throws with what it wrote
/// to stderr.
std::string kubectl(const std::vector<std::string>& arguments, const std::string& input = {});

/// The same where a failure is an answer.
CommandResult try_kubectl(const std::vector<std::string>& arguments, const std::string& input = {});

/// Where kubectl or helm is that speaks to the cluster.
std::filesystem::path cluster_tool(const std::string& name);

/// Runs helm. Throws as kubectl().
std::string helm(const std::vector<std::string>& arguments);

/// `kubectl apply` of a manifest in a namespace.
void apply_manifest(const std::string& name_space, const std::string& manifest);

/// An object, for example ("shop", "pod/app"); null if it is not there.
nlohmann::json find_object(const std::string& name_space, const std::string& name);

/// `kubectl wait` for a condition such as "condition=Ready" or "jsonpath=…". Throws if it does not come in time.
void await(const std::string& name_space, const std::string& object, const std::string& condition,
           std::chrono::seconds limit = std::chrono::seconds(60));

/// Waits until every replica of a workload is there and ready.
void await_rollout(const std::string& name_space, const std::string& workload);

/// "stop", "start", "restart" or "kill" a process of the node: tests/cluster/services.sh.
void node_service(const std::string& verb, const std::string& name);

/// The process of a pod's container whose command line begins with `command`, by the node's own number; -1 if there is
/// none.
pid_t process_of(const nlohmann::json& pod, const std::string& command);

/// Adds a line to the report that the run ends with: figures, and tables for the documents.
void report(const std::string& line);

}  // namespace cvp::test
