#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/support/process.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {

/// The chart as a helm release in a namespace of its own, and the operator's binary in the place of its Deployment:
/// what it installs calls that process. Calls block and throw where they fail. What is left of it goes with the object.
class InstalledProduct {
public:
    /// @param chart the one that is installed; upgrades take the source tree's
    explicit InstalledProduct(const std::filesystem::path& chart = source_path("charts/cloud-valkey-proxy"));
    ~InstalledProduct();
    InstalledProduct(const InstalledProduct&) = delete;
    InstalledProduct& operator=(const InstalledProduct&) = delete;

    const std::string& name_space() const { return name_space_; }  ///< of the release
    std::uint16_t webhook_port() const { return webhook_port_; }   ///< of 127.0.0.1: where the API server calls

    /// Runs helm on the release: "upgrade", "test", "uninstall". @param more further arguments
    std::string helm(const std::string& command, const std::vector<std::string>& more = {}) const;
    /// The arguments of install and upgrade: the chart and its values.
    std::vector<std::string> chart_and_values(
        const std::filesystem::path& chart = source_path("charts/cloud-valkey-proxy")) const;

    /// Starts the operator with the release's rights and waits until its webhook is trusted.
    /// @param env where its cloud is; none by default
    void start_operator(std::vector<std::string> env = {"GCE_METADATA_HOST=127.0.0.1:1"});
    void stop_operator();
    bool has_operator() const { return operator_.has_value(); }

    /// What stands for the kubelet: runs the operator's binary with the arguments and the identity of a pod's first
    /// container, and writes how it ended into the pod's status. @return what it printed
    /// @param more arguments beside the container's
    std::string run_pod(const std::string& name, const std::vector<std::string>& more = {});

private:
    const std::string name_space_;
    const std::uint16_t webhook_port_, metrics_port_, probe_port_;
    TempDir dir_{"cvp-installed"};
    std::optional<Process> operator_;
};

/// `sessions`, a server of one's own at 10.0.0.1:6379, and the pod `shop` that asks for it.
inline constexpr auto kConnectionAndPod = R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: sessions}
spec: {instance: {endpoints: {addresses: ["10.0.0.1:6379"]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, annotations: {cloudvalkey.dev/connections: sessions}}
spec: {containers: [{name: app, image: "app:1"}]}
)";

/// What becomes of a pod in a namespace, by a dry run: "bare", "injected", or why it is refused.
std::string fate_of_pod(ApiSession& api, const std::string& name_space, bool asks);

}  // namespace cvp::test
