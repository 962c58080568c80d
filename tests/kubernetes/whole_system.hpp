#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/kubernetes/webhook_configuration.hpp"
#include "tests/support/canary.hpp"
#include "tests/support/emulator_process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {

/// The product as it is deployed: the operator's own binary with its chart's rights, called by the API server; the
/// emulated cloud with a real Valkey; and podrun with the proxy's own binary for the sidecar of pod `shop`.
///
/// Objects are made in a namespace of its own. Everything ends with it. Calls block and throw where they fail.
class WholeSystem {
public:
    static constexpr auto kInstance = "projects/my-project/locations/us-central1/instances/my-valkey";

    WholeSystem();
    ~WholeSystem();
    WholeSystem(const WholeSystem&) = delete;
    WholeSystem& operator=(const WholeSystem&) = delete;

    /// Starts the operator and returns once it is ready: the API server trusts its webhook.
    void start_operator();
    /// Ends it as a rollout does. @return its exit code
    int stop_operator();
    /// The operator's process itself: for signals of a test's own.
    Process& operator_process() { return *operator_; }
    /// GET /readyz of it: the status, 0 where it does not answer.
    unsigned readiness() const;
    /// The lease of the operators.
    nlohmann::json lease() const;
    /// Somebody else takes the lease.
    void steal_lease();
    /// Asks the API server for an injected pod by a dry run; "" or why there is none.
    std::string admit() const;
    /// Sends a request to the webhook itself. @return the header "Connection" of the answer
    std::string ask_webhook() const;
    /// The body of its /metrics.
    std::string operator_metrics() const;
    /// A sample of them, 0 where it has none of that name and these labels.
    double operator_metric(const std::string& name_and_labels) const;

    void create_connection();
    /// Makes an object of another kind, or a connection of another spec, in the namespace.
    void create(const nlohmann::json& object);
    /// Waits until it is Ready.
    void await_connection();
    /// Applies a merge patch to it.
    void edit_connection(const nlohmann::json& patch);
    void delete_connection();
    void annotate_connection(const std::string& key_and_value);

    /// Makes the pod; the webhook must inject it.
    /// @param annotations more of them
    void create_pod(const nlohmann::json& annotations = nlohmann::json::object());
    /// Starts podrun for the pod, which may come later.
    void run_pod();
    void await_sidecar_started();
    /// SIGKILL, as the kernel does to a container that has no memory left; podrun starts it again.
    void kill_sidecar();
    nlohmann::json sidecar_status() const;  ///< of the stored pod's container statuses
    nlohmann::json sidecar_page() const;    ///< GET /status of the sidecar

    /// A command of a client of the sidecar.
    std::string ask(const std::vector<std::string>& words) const;
    /// Where a file of the sidecar's container is, seen from outside.
    std::filesystem::path in_sidecar(const std::string& path) const;

    nlohmann::json connection() const;
    nlohmann::json config_map() const;
    bool has_config_map() const;
    /// metadata.resourceVersion of the ConfigMap and of the connection.
    std::pair<std::string, std::string> versions() const;

    /// Calls of the cloud's API so far.
    std::uint64_t cloud_calls() const;
    EmulatorProcess& emulator() { return *emulator_; }

    /// All that it shows to the world: logs, argv, metrics, and every object and event of the namespace.
    std::vector<Evidence> evidence() const;
    /// The output of `cloud-valkey-operator resolve` for the connection's manifest, on both streams.
    Evidence resolve() const;

private:
    std::string kubectl(std::vector<std::string> arguments, const std::string& input = {}) const;
    std::vector<std::string> cloud_env() const;

    TempDir dir_{"cvp-whole-system"};
    std::string name_space_;
    std::filesystem::path kubeconfig_;
    std::uint16_t webhook_port_, metrics_port_, probe_port_, sidecar_port_, admin_port_;
    std::optional<EmulatorProcess> emulator_;
    std::optional<WebhookConfiguration> webhook_;
    std::optional<Process> operator_;
    std::optional<Process> podrun_;
};

}  // namespace cvp::test
