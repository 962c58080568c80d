#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/kubernetes/webhook_configuration.hpp"
#include "tests/support/emulator_process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tcp_balancer.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {

/// Replicas of the operator's own binary behind a balancer that the API server calls: what a Deployment of two and its
/// Service are, without nodes. The chart's rights, the emulated cloud.
///
/// Replicas are counted from 0 and keep number and ports over restarts. Calls block and throw where they fail.
class OperatorFleet {
public:
    static constexpr auto kInstance = "projects/my-project/locations/us-central1/instances/my-valkey";

    /// Starts two replicas and returns once the balancer finds both ready.
    explicit OperatorFleet(std::vector<std::string> flags = {});
    ~OperatorFleet();
    OperatorFleet(const OperatorFleet&) = delete;
    OperatorFleet& operator=(const OperatorFleet&) = delete;

    const std::string& name_space() const { return name_space_; }
    const TcpBalancer& balancer() const { return balancer_; }

    /// Starts one more. @return its number
    std::size_t add();
    /// Starts one that has ended, as a kubelet does.
    void restart(std::size_t replica);
    void await_ready(std::size_t replica);

    void signal(std::size_t replica, int number);
    /// Waits for its end. @return its exit code
    int await_exit(std::size_t replica);

    /// Waits until one leads. @return its number
    std::size_t leader();
    /// One that does not lead.
    std::size_t follower();
    /// Somebody else takes the lease.
    void steal_lease();

    std::string kubectl(std::vector<std::string> arguments, const std::string& input = {}) const;
    void create_connection(const std::string& name);
    void await_connection(const std::string& name);
    nlohmann::json config_map(const std::string& connection) const;
    /// Calls of the cloud's API so far.
    std::uint64_t cloud_calls() const;

    /// The live caBundle, PEM.
    std::string bundle() const;
    void set_bundle(const std::string& pem);
    /// Asks for a new CA by the Secret's annotation.
    void rotate_ca(const std::string& wish);

    /// A sample of a replica's metrics, 0 where it has none.
    double metric(std::size_t replica, const std::string& name_and_labels) const;
    std::string log_tail(std::size_t replica) const;

private:
    struct Replica {
        std::uint16_t webhook_port, metrics_port, probe_port;
        std::optional<Process> process;
    };

    void launch(std::size_t replica);
    std::filesystem::path log_of(std::size_t replica) const;

    TempDir dir_{"cvp-fleet"};
    std::string name_space_;
    std::vector<std::string> flags_;
    std::filesystem::path kubeconfig_;
    std::optional<EmulatorProcess> emulator_;
    TcpBalancer balancer_;
    std::optional<WebhookConfiguration> webhook_;
    std::vector<Replica> replicas_;
};

}  // namespace cvp::test
