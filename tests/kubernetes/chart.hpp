#pragma once

#include <string>
#include <vector>

namespace cvp::test {

/// Makes the release's namespace, cloud-valkey, unless a test before has. Throws.
void ensure_release_namespace();

/// Renders the chart as a release in the namespace cloud-valkey, as `helm template` does, without its test.
/// Throws with helm's words.
/// @param arguments more of helm's, for example {"--set", "webhook.url=…"}
std::string render_chart(const std::vector<std::string>& arguments = {});

/// Runs helm with the chart as its last argument and returns what it printed, on both streams.
/// @param status set to the exit code
std::string run_helm(std::vector<std::string> arguments, int& status);

/// Runs helm against the control plane, as its administrator: `helm install` and the like. Throws with helm's words.
std::string run_helm_on_cluster(std::vector<std::string> arguments);

}  // namespace cvp::test
