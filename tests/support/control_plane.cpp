#include "tests/support/control_plane.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include "common/crypto/base64.hpp"
#include "tests/support/byte_stream.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kStartLimit = 60s;  // a busy machine; 3 s on a quiet one
constexpr auto kBuildLimit = 30min;
constexpr auto kLifetime = std::chrono::hours(10 * 365 * 24);
constexpr int kPortAttempts = 3;
constexpr const char* kServiceRange = "10.96.0.0/16";
constexpr const char* kServiceAddress = "10.96.0.1";  // of the service `kubernetes`: the first of the range

// Those that a test can see the work of. Nodes, volumes, load balancers and certificate requests have no place here.
constexpr const char* kControllers =
    "clusterrole-aggregation-controller,cronjob-controller,daemonset-controller,deployment-controller,"
    "garbage-collector-controller,job-controller,namespace-controller,replicaset-controller,resourcequota-controller,"
    "root-ca-certificate-publisher-controller,serviceaccount-controller,serviceaccount-token-controller,"
    "statefulset-controller,validatingadmissionpolicy-status-controller";

Result<void> write_file(const fs::path& file, std::string_view content) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << content;
    if (!out.flush()) return fail(ErrorCode::invalid_argument, "cannot write " + file.string());
    return {};
}

Result<void> write_pair(const fs::path& dir, const std::string& name, const crypto::CertificateAndKey& pair) {
    if (auto written = write_file(dir / (name + ".crt"), pair.certificate_pem); !written) return written;
    return write_file(dir / (name + ".key"), pair.key_pem.reveal());
}

constexpr const char* kNewest = "1.36.3";

/// The program that serves the API.
std::string api_server_program() {
    const auto version = ControlPlane::version();
    return version == kNewest ? "kube-apiserver" : "kube-apiserver-" + version;
}

Result<fs::path> find_tools() {
    ProcessOptions build;
    build.argv = {source_path("tests/tools/build.sh").string(),
                  "etcd",
                  api_server_program(),
                  "kube-controller-manager",
                  "kubectl",
                  "helm"};
    const auto result = run_command(build, {}, kBuildLimit);
    if (!result) return fail(result.error());
    if (result->status != 0) return fail(ErrorCode::not_found, "tests/tools/build.sh failed:\n" + result->err);
    return fs::path(result->out.substr(0, result->out.find_last_not_of('\n') + 1));
}

/// Asks over TLS, as anybody, and returns the status code.
Result<unsigned> fetch_status(std::uint16_t port, const std::string& ca_pem, const std::string& path) {
    auto stream = ByteStream::connect_tcp("127.0.0.1", port, 1s);
    if (!stream) return fail(stream.error());
    TlsClientSettings settings;
    settings.ca_pem = ca_pem;
    settings.identity = "127.0.0.1";
    if (auto secured = stream->start_tls(settings, 5s); !secured) return fail(secured.error());
    const auto request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    if (auto sent = stream->write_all(request, 5s); !sent) return fail(sent.error());
    const auto answer = stream->read_some(5s);
    if (!answer) return fail(answer.error());
    if (!answer->starts_with("HTTP/1.1 ") || answer->size() < 12) {
        return fail(ErrorCode::protocol_error, "not HTTP: " + *answer);
    }
    return static_cast<unsigned>(std::stoul(answer->substr(9, 3)));
}

/// @param name_space the context's own
/// @param credentials lines of the user's entry, indented by four spaces
Result<fs::path> write_kubeconfig(const fs::path& file, const std::string& url, const std::string& ca_pem,
                                  const std::string& name_space, const std::string& credentials) {
    const auto text = "apiVersion: v1\nkind: Config\ncurrent-context: main\nclusters:\n- name: main\n  cluster:\n" +
                      ("    server: " + url + "\n    certificate-authority-data: ") + crypto::base64_encode(ca_pem) +
                      "\ncontexts:\n- name: main\n  context: {cluster: main, user: main, namespace: " + name_space +
                      "}\nusers:\n- name: main\n  user:\n" + credentials;
    if (auto written = write_file(file, text); !written) return fail(written.error());
    return file;
}

}  // namespace

std::string ControlPlane::version() {
    const char* chosen = std::getenv("CVP_KUBERNETES_VERSION");
    return chosen == nullptr || *chosen == '\0' ? kNewest : chosen;
}

int ControlPlane::minor_version() {
    return std::stoi(version().substr(2));
}

Result<ControlPlane> ControlPlane::start(ControlPlaneOptions options) {
    std::error_code error;
    fs::create_directories(options.dir, error);
    options.dir = fs::absolute(options.dir);
    fs::permissions(options.dir, fs::perms::owner_all, error);
    if (error) return fail(ErrorCode::invalid_argument, options.dir.string() + ": " + error.message());
    auto tools = find_tools();
    if (!tools) return fail(std::move(tools).error());

    ControlPlane plane(std::move(options));
    plane.tools_ = std::move(*tools);
    Result<void> ready;
    // Between finding a free port and binding it somebody else may take it.
    for (int attempt = 0; attempt < (plane.options_.port == 0 ? kPortAttempts : 1); ++attempt) {
        ready = plane.launch();
        if (ready) return plane;
        if (ready.error().context.find("address already in use") == std::string::npos) break;
    }
    return fail(std::move(ready).error());
}

Result<void> ControlPlane::launch() {
    members_.clear();
    std::error_code ignored;
    fs::remove_all(options_.dir / "etcd", ignored);
    const auto etcd_port = free_port();
    const auto api_port = options_.port != 0 ? Result<std::uint16_t>(options_.port) : free_port();
    if (!etcd_port || !api_port) return fail(etcd_port ? api_port.error() : etcd_port.error());
    port_ = *api_port;
    etcd_port_ = *etcd_port;

    if (auto done = make_files(); !done) return done;
    if (auto done = start_etcd(*etcd_port); !done) return done;
    if (auto done = start_api_server(); !done) return done;
    for (const auto& manifest : options_.manifests) {
        const auto applied = kubectl({"apply", "--server-side", "--recursive", "--filename", manifest.string()});
        if (!applied) return fail(ErrorCode::invalid_argument, applied.error().context);
    }
    if (!options_.manifests.empty()) {
        const auto established = kubectl({"wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"});
        if (!established) return fail(established.error());
    }
    if (auto done = start_controllers(); !done) return done;
    return wait_for_service_account("default");
}

Result<void> ControlPlane::make_files() {
    const auto validity = crypto::Validity::from_now(kLifetime);
    auto ca = crypto::issue_ca({"cvp-control-plane", validity});
    if (!ca) return fail(ca.error());
    ca_ = std::move(*ca);
    // Kubernetes takes a certificate where it wants the public key that ServiceAccounts' tokens are verified with.
    const auto tokens = crypto::issue_ca({"service-accounts", validity});
    if (!tokens) return fail(tokens.error());
    crypto::LeafRequest request;
    request.common_name = "kube-apiserver";
    request.dns_names = {"localhost", "kubernetes.default.svc"};
    request.ip_addresses = {"127.0.0.1", kServiceAddress};
    request.validity = validity;
    const auto server = crypto::issue_leaf(request, ca_);
    if (!server) return fail(server.error());

    const std::vector<std::pair<std::string, const crypto::CertificateAndKey*>> files = {
        {"ca", &ca_}, {"service-accounts", &*tokens}, {"apiserver", &*server}};
    for (const auto& [name, pair] : files) {
        if (auto written = write_pair(options_.dir, name, *pair); !written) return written;
    }
    const auto admin = write_kubeconfig_of_user("admin", {"system:masters"});
    if (!admin) return fail(admin.error());
    return {};
}

Result<void> ControlPlane::start_etcd(std::uint16_t client_port) {
    const auto peer_port = free_port();
    if (!peer_port) return fail(peer_port.error());
    const auto client = "http://127.0.0.1:" + std::to_string(client_port);
    const auto peer = "http://127.0.0.1:" + std::to_string(*peer_port);
    const std::vector<std::string> flags = {
        "--data-dir=" + (options_.dir / "etcd").string(),
        "--unsafe-no-fsync",
        "--listen-client-urls=" + client,
        "--advertise-client-urls=" + client,
        "--listen-peer-urls=" + peer,
        "--initial-advertise-peer-urls=" + peer,
        "--initial-cluster=default=" + peer,
        "--log-level=warn",
    };
    auto started = start_process("etcd", flags);
    if (!started) return started;
    const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
    while (!ByteStream::connect_tcp("127.0.0.1", client_port, 1s)) {
        if (members_.back().process.wait(20ms)) return fail(failure_of("etcd", "ended"));
        if (std::chrono::steady_clock::now() > deadline) return fail(failure_of("etcd", "does not listen"));
    }
    return {};
}

Result<void> ControlPlane::start_api_server() {
    const auto file = [&](const char* name) { return (options_.dir / name).string(); };
    const std::vector<std::string> flags = {
        "--etcd-servers=http://127.0.0.1:" + std::to_string(etcd_port_),
        "--bind-address=127.0.0.1",
        "--secure-port=" + std::to_string(port_),
        "--tls-cert-file=" + file("apiserver.crt"),
        "--tls-private-key-file=" + file("apiserver.key"),
        "--client-ca-file=" + file("ca.crt"),
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=" + file("service-accounts.crt"),
        "--service-account-signing-key-file=" + file("service-accounts.key"),
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        "--service-cluster-ip-range=" + std::string(kServiceRange),
        "--endpoint-reconciler-type=none",  // it would complain that loopback is no endpoint
        "--allow-privileged=true",
    };
    auto started = start_process("kube-apiserver", flags, api_server_program());
    if (!started) return started;
    const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
    for (;;) {
        const auto status = fetch_status(port_, ca_pem(), "/readyz");
        if (status && *status == 200) return {};
        if (members_.back().process.wait(50ms)) return fail(failure_of("kube-apiserver", "ended"));
        if (std::chrono::steady_clock::now() > deadline) return fail(failure_of("kube-apiserver", "is not ready"));
    }
}

Result<void> ControlPlane::start_controllers() {
    const auto file = [&](const char* name) { return (options_.dir / name).string(); };
    const std::vector<std::string> flags = {
        "--kubeconfig=" + admin_kubeconfig().string(),
        "--root-ca-file=" + file("ca.crt"),
        "--service-account-private-key-file=" + file("service-accounts.key"),
        "--controllers=" + std::string(kControllers),
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",  // tests wait for what it does: no thrift with requests
        "--kube-api-burst=1000",
    };
    return start_process("kube-controller-manager", flags);
}

Result<void> ControlPlane::start_process(const std::string& name, const std::vector<std::string>& flags,
                                         const std::string& program) {
    std::error_code ignored;
    fs::remove(log_of(name), ignored);
    ProcessOptions options;
    options.argv = {(tools_ / (program.empty() ? name : program)).string()};
    options.argv.insert(options.argv.end(), flags.begin(), flags.end());
    options.cwd = options_.dir;
    options.log_file = log_of(name);
    auto process = Process::start(options);
    if (!process) return fail(std::move(process).error());
    members_.push_back({name, std::move(*process)});
    return {};
}

Error ControlPlane::failure_of(const std::string& name, const std::string& what) const {
    const auto log = log_of(name);
    return {ErrorCode::unavailable, name + " " + what + "; the last lines of " + log.string() + ":\n" + tail_of(log)};
}

Result<fs::path> ControlPlane::write_kubeconfig_of_user(const std::string& name,
                                                        const std::vector<std::string>& groups) const {
    crypto::LeafRequest request;
    request.common_name = name;
    request.organizations = groups;
    request.validity = crypto::Validity::from_now(kLifetime);
    request.server_auth = false;
    request.client_auth = true;
    const auto client = crypto::issue_leaf(request, ca_);
    if (!client) return fail(client.error());
    return write_kubeconfig(options_.dir / (name + ".kubeconfig"), url(), ca_pem(), "default",
                            "    client-certificate-data: " + crypto::base64_encode(client->certificate_pem) +
                                "\n    client-key-data: " + crypto::base64_encode(client->key_pem.reveal()) + "\n");
}

Result<fs::path> ControlPlane::write_kubeconfig_of_service_account(const std::string& name_space,
                                                                   const std::string& name) const {
    const auto token = kubectl({"create", "token", name, "--namespace", name_space, "--duration", "24h"});
    if (!token) return fail(token.error());
    return write_kubeconfig(options_.dir / (name_space + "." + name + ".kubeconfig"), url(), ca_pem(), name_space,
                            "    token: " + *token);
}

Result<std::string> ControlPlane::kubectl(const std::vector<std::string>& arguments, const std::string& input) const {
    ProcessOptions options;
    options.argv = {(tools_ / "kubectl").string(), "--kubeconfig", admin_kubeconfig().string(), "--cache-dir",
                    (options_.dir / "kubectl-cache").string()};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    auto result = run_command(options, input, kStartLimit);
    if (!result) return fail(std::move(result).error());
    if (result->status != 0) {
        std::string command = "kubectl";
        for (const auto& argument : arguments)
            command += " " + argument;
        return fail(ErrorCode::internal, command + ": " + result->err);
    }
    return std::move(result->out);
}

Result<void> ControlPlane::wait_for_service_account(const std::string& name_space) const {
    const auto made = kubectl({"wait", "--for=create", "serviceaccount/default", "--namespace", name_space,
                               "--timeout=" + std::to_string(kStartLimit.count()) + "s"});
    if (!made) return fail(failure_of("kube-controller-manager", "makes no ServiceAccount: " + made.error().context));
    return {};
}

Result<void> ControlPlane::make_namespace(const std::string& name) const {
    const auto made = kubectl({"create", "namespace", name});
    if (!made) return fail(made.error());
    return wait_for_service_account(name);
}

void ControlPlane::stop_api_server() {
    const auto is_it = [](const Member& member) { return member.name == "kube-apiserver"; };
    const auto found = std::find_if(members_.begin(), members_.end(), is_it);
    if (found == members_.end()) return;
    found->process.kill();
    members_.erase(found);
}

Result<void> ControlPlane::restart_api_server() {
    stop_api_server();
    return start_api_server();
}

Result<void> ControlPlane::check_running() {
    for (auto& [name, process] : members_) {
        if (!process.is_running()) return fail(failure_of(name, "ended"));
    }
    return {};
}

}  // namespace cvp::test
