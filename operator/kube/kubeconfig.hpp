#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/config/settings.hpp"
#include "common/http/url.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"
#include "common/tls/options.hpp"

namespace cvp::op {

/// Where the API server is and who we are: one context of a kubeconfig, or the pod's ServiceAccount.
///
/// What stands in files is named only, because it changes while we run: load_kube_credentials() reads it.
struct KubeConfig {
    http::Url server;              ///< target: the path that is put before every request's, "/" for none
    std::string namespace_name;    ///< the context's, "default" where it names none
    std::string tls_server_name;   ///< verified instead of the server's host
    bool skip_tls_verify = false;  ///< insecure-skip-tls-verify
    std::string ca_pem;            ///< inline; else ca_file; else the system's
    std::filesystem::path ca_file;
    std::string certificate_pem;  ///< inline; else certificate_file
    std::filesystem::path certificate_file;
    Secret key_pem;  ///< inline; else key_file
    std::filesystem::path key_file;
    Secret token;  ///< inline; token_file wins, as with kubectl
    std::filesystem::path token_file;
};

/// Reads the current context of a kubeconfig.
///
/// @param directory relative file names are relative to it
/// @errors invalid_argument, every fault with its key path: no current-context, a name that is not there, and what we
///         do not do (exec and auth-provider plugins, basic auth, impersonation, proxies), each with what to use
///         instead
Result<KubeConfig> parse_kubeconfig(std::string_view yaml, const std::filesystem::path& directory);

/// Reads a kubeconfig file.
/// @errors invalid_argument, naming the file
Result<KubeConfig> load_kubeconfig(const std::filesystem::path& file);

/// The pod's own identity: KUBERNETES_SERVICE_HOST and _PORT, token and CA of the ServiceAccount.
/// @param service_account /var/run/secrets/kubernetes.io/serviceaccount
/// @errors invalid_argument where we are in no pod
Result<KubeConfig> in_cluster_config(const Environment& environment, const std::filesystem::path& service_account);

/// That file's context; the pod's own identity where `file` is empty.
Result<KubeConfig> find_kube_config(const std::filesystem::path& file);

/// What is shown and trusted at present.
struct KubeCredentials {
    tls::ClientOptions tls;
    Secret token;  ///< empty: none

    bool operator==(const KubeCredentials&) const = default;
};

/// Reads the files that a KubeConfig names. Called again and again: tokens live an hour, CAs are rotated.
/// @errors invalid_argument, naming the file
Result<KubeCredentials> load_kube_credentials(const KubeConfig& config);

}  // namespace cvp::op
