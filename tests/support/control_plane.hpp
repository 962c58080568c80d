#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/crypto/x509_maker.hpp"
#include "common/result.hpp"
#include "tests/support/process.hpp"

namespace cvp::test {

struct ControlPlaneOptions {
    std::filesystem::path dir;  ///< made if missing, private; data, certificates, logs and kubeconfigs live there
    std::uint16_t port = 0;     ///< of the API server; 0: any free one
    /// Files or folders that are applied before the controllers start. CRDs belong here: the garbage collector looks
    /// for kinds that came later only every 30 s.
    std::vector<std::filesystem::path> manifests;
};

/// A real Kubernetes API on loopback: etcd, kube-apiserver (RBAC, Node, all default admission plug-ins and
/// OwnerReferencesPermissionEnforcement) and kube-controller-manager (garbage collection, ServiceAccounts, namespaces,
/// workloads, quotas). There is no scheduler and no kubelet: pods are admitted and stay Pending.
///
/// CVP_KUBERNETES_VERSION=1.30.4 makes it the oldest API server that the operator supports; the rest is the same.
///
/// Owner: a test, or cvp-control-plane; the processes end with the object. Calls block.
class ControlPlane {
public:
    /// Starts it and returns once it is ready and pods can be made in `default`: 3 to 5 s. Builds the programs first
    /// if they are not there (tests/tools/build.sh): minutes, once.
    ///
    /// @errors `unavailable` with the path and the last lines of the log that tells why; `not_found` without Go;
    ///         `invalid_argument` for the directory or a manifest
    static Result<ControlPlane> start(ControlPlaneOptions options);

    /// Of the API server: "1.36.3", or what CVP_KUBERNETES_VERSION says.
    static std::string version();
    /// Its second number: for what only newer ones can.
    static int minor_version();

    std::uint16_t port() const { return port_; }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
    /// The CA of the API server's certificate and of client certificates.
    const std::string& ca_pem() const { return ca_.certificate_pem; }
    /// Of a member of system:masters.
    std::filesystem::path admin_kubeconfig() const { return options_.dir / "admin.kubeconfig"; }
    /// The directory of kubectl, helm and the rest.
    const std::filesystem::path& tools() const { return tools_; }

    /// Writes a kubeconfig with a client certificate of that user, who has the rights that RBAC gives him.
    Result<std::filesystem::path> write_kubeconfig_of_user(const std::string& name,
                                                           const std::vector<std::string>& groups = {}) const;
    /// Writes a kubeconfig with a token of 24 hours of an existing ServiceAccount, in whose namespace its context is.
    Result<std::filesystem::path> write_kubeconfig_of_service_account(const std::string& name_space,
                                                                      const std::string& name) const;

    /// Runs kubectl as the administrator with `input` as its standard input and returns what it printed.
    /// @errors `internal` with the command and what it wrote to stderr
    Result<std::string> kubectl(const std::vector<std::string>& arguments, const std::string& input = {}) const;

    /// Makes a namespace and waits until pods can be made in it.
    Result<void> make_namespace(const std::string& name) const;

    /// Ends the API server as a node's reboot does; etcd and the controllers go on.
    void stop_api_server();
    /// Starts it again on its port and returns once it is ready.
    /// @errors as start()
    Result<void> restart_api_server();

    /// Says that all three processes run.
    /// @errors `unavailable` naming the one that ended, with its log's last lines
    Result<void> check_running();

private:
    explicit ControlPlane(ControlPlaneOptions options) : options_(std::move(options)) {}

    Result<void> launch();
    Result<void> make_files();
    Result<void> start_etcd(std::uint16_t client_port);
    Result<void> start_api_server();
    Result<void> start_controllers();
    /// @param program in tools(), where it is not `name`
    Result<void> start_process(const std::string& name, const std::vector<std::string>& flags,
                               const std::string& program = {});
    Result<void> wait_for_service_account(const std::string& name_space) const;
    std::filesystem::path log_of(const std::string& name) const { return options_.dir / (name + ".log"); }
    Error failure_of(const std::string& name, const std::string& what) const;

    struct Member {
        std::string name;
        Process process;
    };

    ControlPlaneOptions options_;
    std::filesystem::path tools_;
    std::uint16_t port_ = 0;
    std::uint16_t etcd_port_ = 0;
    crypto::CertificateAndKey ca_;
    std::vector<Member> members_;
};

}  // namespace cvp::test
