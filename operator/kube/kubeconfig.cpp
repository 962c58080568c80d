#include "operator/kube/kubeconfig.hpp"

#include <utility>
#include <vector>

#include "common/config/file.hpp"
#include "common/contract/host.hpp"
#include "common/crypto/base64.hpp"
#include "common/yaml/parser.hpp"
#include "common/yaml/reader.hpp"

namespace cvp::op {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPem = 1024 * 1024;
constexpr std::size_t kMaxEntries = 1024;

/// A wrong file is a wrong configuration, whatever is wrong with it.
Result<std::string> read_file(const fs::path& file) {
    auto text = load_file(file, kMaxPem);
    if (!text) return fail(ErrorCode::invalid_argument, "cannot read " + text.error().context);
    return text;
}

std::string trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

/// The entry of a list of {name: …, <kind>: {…}} that has this name.
std::optional<yaml::Value> find_named(const yaml::Value& list, const std::string& wanted, std::string_view kind) {
    for (const auto& entry : list.items(kMaxEntries)) {
        std::string name;
        entry["name"].read(name);
        if (name == wanted) return entry[kind];
    }
    return std::nullopt;
}

/// Refuses a key that would change who we are or how we get there.
void refuse(const yaml::Value& map, std::initializer_list<std::string_view> keys, const char* message) {
    for (const auto key : keys) {
        if (const auto value = map[key]) value.fault(message);
    }
}

std::string read_base64(const yaml::Value& value) {
    std::string encoded;
    if (!value.read(encoded, kMaxPem)) return {};
    auto decoded = crypto::base64_decode(encoded);
    if (!decoded) {
        value.fault("is no base64");
        return {};
    }
    return std::move(*decoded);
}

fs::path read_path(const yaml::Value& value, const fs::path& directory) {
    std::string name;
    if (!value.read(name, 4096) || name.empty()) return {};
    return directory / name;  // an absolute name replaces the directory
}

void read_cluster(const yaml::Value& cluster, const fs::path& directory, KubeConfig& config) {
    std::string server;
    if (cluster["server"].required("the API server's URL").read(server, 2048)) {
        auto url = http::parse_url(server);
        if (!url) {
            cluster["server"].fault(url.error().context);
        } else if (!url->origin.tls && !is_loopback(url->origin.host)) {
            cluster["server"].fault("must be https: a token never travels unprotected");
        } else {
            config.server = std::move(*url);
        }
    }
    cluster["tls-server-name"].read(config.tls_server_name);
    cluster["insecure-skip-tls-verify"].read(config.skip_tls_verify);
    config.ca_pem = read_base64(cluster["certificate-authority-data"]);
    config.ca_file = read_path(cluster["certificate-authority"], directory);
    refuse(cluster, {"proxy-url"}, "is not supported: name a server that is reachable without a proxy");
}

void read_user(const yaml::Value& user, const fs::path& directory, KubeConfig& config) {
    config.certificate_pem = read_base64(user["client-certificate-data"]);
    config.certificate_file = read_path(user["client-certificate"], directory);
    config.key_pem = Secret(read_base64(user["client-key-data"]));
    config.key_file = read_path(user["client-key"], directory);
    std::string token;
    user["token"].read(token, 64 * 1024);
    config.token = Secret(std::move(token));
    config.token_file = read_path(user["tokenFile"], directory);
    refuse(user, {"exec", "auth-provider"},
           "is not supported, because it would run another program: use token, tokenFile or a client certificate, for "
           "example of a ServiceAccount (kubectl create token)");
    refuse(user, {"username", "password"}, "is not supported: API servers dropped it in 1.19");
    refuse(user, {"as", "as-uid", "as-groups", "as-user-extra"}, "is not supported: name the user itself");

    const bool has_certificate = !config.certificate_pem.empty() || !config.certificate_file.empty();
    const bool has_key = !config.key_pem.empty() || !config.key_file.empty();
    if (has_certificate != has_key) user.fault("needs client-certificate and client-key, both or neither");
}

}  // namespace

Result<KubeConfig> parse_kubeconfig(std::string_view text, const fs::path& directory) {
    auto node = yaml::parse(text);
    if (!node) return fail(ErrorCode::invalid_argument, describe_faults("kubeconfig", {node.error()}));
    yaml::Reader reader(std::move(*node));
    const auto root = reader.root();
    KubeConfig config;
    std::string context_name;
    std::string cluster_name;
    std::string user_name;
    if (root["current-context"].required("kubectl config use-context sets it").read(context_name)) {
        if (const auto context = find_named(root["contexts"], context_name, "context")) {
            (*context)["cluster"].required().read(cluster_name);
            (*context)["user"].read(user_name);
            (*context)["namespace"].read(config.namespace_name);
        } else {
            root["current-context"].fault("names a context that is not in contexts");
        }
    }
    if (!cluster_name.empty()) {
        if (const auto cluster = find_named(root["clusters"], cluster_name, "cluster")) {
            read_cluster(*cluster, directory, config);
        } else {
            root["clusters"].fault("lacks the cluster \"" + cluster_name + "\" of the current context");
        }
    }
    if (!user_name.empty()) {
        if (const auto user = find_named(root["users"], user_name, "user")) {
            read_user(*user, directory, config);
        } else {
            root["users"].fault("lacks the user \"" + user_name + "\" of the current context");
        }
    }
    const auto findings = reader.finish();
    if (!findings.faults.empty()) {
        return fail(ErrorCode::invalid_argument, describe_faults("kubeconfig", findings.faults));
    }
    if (config.namespace_name.empty()) config.namespace_name = "default";
    return config;
}

Result<KubeConfig> load_kubeconfig(const fs::path& file) {
    auto text = read_file(file);
    if (!text) return fail(std::move(text).error());
    auto config = parse_kubeconfig(*text, fs::absolute(file).parent_path());
    if (!config) return fail(ErrorCode::invalid_argument, file.string() + ": " + config.error().context);
    return config;
}

Result<KubeConfig> in_cluster_config(const Environment& environment, const fs::path& service_account) {
    const auto host = environment.find("KUBERNETES_SERVICE_HOST");
    const auto port = environment.find("KUBERNETES_SERVICE_PORT");
    if (host == environment.end() || host->second.empty() || port == environment.end() || port->second.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            "not in a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set): give --kubeconfig");
    }
    const bool is_ipv6 = host->second.find(':') != std::string::npos;
    const auto authority = (is_ipv6 ? "[" + host->second + "]" : host->second) + ":" + port->second;
    auto origin = http::parse_authority(authority, 443, /*tls=*/true);
    if (!origin) {
        return fail(ErrorCode::invalid_argument,
                    "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: " + origin.error().context);
    }
    KubeConfig config;
    config.server.origin = std::move(*origin);
    config.ca_file = service_account / "ca.crt";
    config.token_file = service_account / "token";
    const auto own_namespace = read_file(service_account / "namespace");
    config.namespace_name = own_namespace ? trimmed(*own_namespace) : "default";
    return config;
}

Result<KubeConfig> find_kube_config(const fs::path& file) {
    if (!file.empty()) return load_kubeconfig(file);
    return in_cluster_config(load_environment({"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}),
                             "/var/run/secrets/kubernetes.io/serviceaccount");
}

Result<KubeCredentials> load_kube_credentials(const KubeConfig& config) {
    KubeCredentials credentials;
    auto& tls = credentials.tls;
    tls.server_name = config.tls_server_name;
    tls.verify = config.skip_tls_verify ? tls::Verify::none : tls::Verify::full;
    tls.ca_pem = config.ca_pem;
    tls.certificate_pem = config.certificate_pem;
    tls.key_pem = config.key_pem;
    credentials.token = config.token;
    if (tls.ca_pem.empty() && !config.ca_file.empty()) {
        auto text = read_file(config.ca_file);
        if (!text) return fail(std::move(text).error());
        tls.ca_pem = std::move(*text);
    }
    tls.system_roots = tls.ca_pem.empty() && config.ca_file.empty();
    if (tls.certificate_pem.empty() && !config.certificate_file.empty()) {
        auto text = read_file(config.certificate_file);
        if (!text) return fail(std::move(text).error());
        tls.certificate_pem = std::move(*text);
    }
    if (tls.key_pem.empty() && !config.key_file.empty()) {
        auto text = read_file(config.key_file);
        if (!text) return fail(std::move(text).error());
        tls.key_pem = Secret(std::move(*text));
    }
    if (!config.token_file.empty()) {
        const auto text = read_file(config.token_file);
        if (!text) return fail(text.error());
        credentials.token = Secret(trimmed(*text));
        if (credentials.token.empty()) {
            return fail(ErrorCode::invalid_argument, config.token_file.string() + " is empty");
        }
    }
    return credentials;
}

}  // namespace cvp::op
