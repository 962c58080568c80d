#include "tests/kubernetes/whole_system.hpp"

#include <csignal>
#include <sstream>
#include <stdexcept>

#include "common/http/client.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/operator_account.hpp"
#include "tests/support/async.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/valkey_server.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::string get_body(std::uint16_t port, const std::string& path) {
    const auto response = http_get("127.0.0.1", port, path);
    return response && response->status == 200 ? response->body : "";
}

json connection_manifest() {
    return {{"apiVersion", "cloudvalkey.dev/v1alpha1"},
            {"kind", "ValkeyConnection"},
            {"metadata", {{"name", "sessions"}}},
            {"spec", {{"instance", {{"memorystoreValkey", {{"name", WholeSystem::kInstance}}}}}}}};
}

/// The process that `parent` started with `argument` on its command line.
pid_t find_child(pid_t parent, const std::string& argument) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const bool is_child =
            read_file(entry.path() / "status").find("\nPPid:\t" + std::to_string(parent) + "\n") != std::string::npos;
        if (is_child && read_file(entry.path() / "cmdline").find(argument) != std::string::npos) return std::stoi(name);
    }
    throw std::runtime_error("no child of " + std::to_string(parent) + " has " + argument + " in its arguments");
}

json pod_manifest(const std::string& name, std::uint16_t port) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata",
             {{"name", name}, {"annotations", {{"cloudvalkey.dev/connections", "sessions:" + std::to_string(port)}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

}  // namespace

WholeSystem::WholeSystem()
    : name_space_(make_fresh_namespace("system")),
      webhook_port_(value_or_throw(free_port())),
      metrics_port_(value_or_throw(free_port())),
      probe_port_(value_or_throw(free_port())),
      sidecar_port_(value_or_throw(free_port())),
      admin_port_(value_or_throw(free_port())) {
    std::filesystem::create_directories(dir_.path() / "cloud");
    emulator_ = value_or_throw(EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path() / "cloud",
                                                      {"--instance", std::string(kInstance) + ":valkey"}));
    install_operator_account({"--set", "watchNamespaces={" + name_space_ + "}"});
    kubeconfig_ = value_or_throw(
        control_plane().write_kubeconfig_of_service_account(kOperatorNamespace, "cloud-valkey-operator"));
    webhook_.emplace("https://127.0.0.1:" + std::to_string(webhook_port_) + "/mutate-pods");
    start_operator();
}

WholeSystem::~WholeSystem() {
    if (podrun_) podrun_->stop();
    if (operator_) operator_->stop(20s, SIGINT);
    (void)control_plane().kubectl({"delete", "clusterrole,clusterrolebinding", "cloud-valkey-operator"});
}

std::vector<std::string> WholeSystem::cloud_env() const {
    return {"CVP_GOOGLE_API_BASE=" + emulator_->rest_base(), "GCE_METADATA_HOST=" + emulator_->metadata_host()};
}

void WholeSystem::start_operator() {
    ProcessOptions options;
    options.argv = {CVP_OPERATOR_BINARY,
                    "--kubeconfig=" + kubeconfig_.string(),
                    "--proxy-image=proxy:1",
                    "--watch-namespaces=" + name_space_,
                    "--webhook-port=" + std::to_string(webhook_port_),
                    "--metrics-port=" + std::to_string(metrics_port_),
                    "--probe-port=" + std::to_string(probe_port_),
                    "--log-level=debug"};
    options.env = cloud_env();
    options.log_file = dir_.path() / "operator.log";
    operator_ = value_or_throw(Process::start(options));
    const auto is_ready = [&] { return !operator_->is_running() || !get_body(probe_port_, "/readyz").empty(); };
    if (!eventually(is_ready, 30s) || !operator_->is_running())
        throw std::runtime_error("the operator does not get ready:\n" + tail_of(options.log_file));
}

int WholeSystem::stop_operator() {
    const int code = operator_->stop(20s, SIGINT);  // SIGTERM would answer admissions for 10 s more
    operator_.reset();
    return code;
}

unsigned WholeSystem::readiness() const {
    const auto response = http_get("127.0.0.1", probe_port_, "/readyz");
    return response ? response->status : 0;
}

json WholeSystem::lease() const {
    return json::parse(value_or_throw(control_plane().kubectl(
        {"get", "lease/cloud-valkey-operator", "--output=json", "--namespace=" + std::string(kOperatorNamespace)})));
}

void WholeSystem::steal_lease() {
    value_or_throw(control_plane().kubectl({"patch", "lease/cloud-valkey-operator", "--type=merge",
                                            "--patch={\"spec\":{\"holderIdentity\":\"thief\"}}",
                                            "--namespace=" + std::string(kOperatorNamespace)}));
}

std::string WholeSystem::admit() const {
    auto stored = control_plane().kubectl(
        {"create", "--dry-run=server", "--filename=-", "--output=json", "--namespace=" + name_space_},
        pod_manifest("dry", sidecar_port_).dump());
    if (!stored) return to_string(stored.error());
    return json::parse(*stored)["spec"].contains("initContainers") ? "" : "admitted without a sidecar";
}

std::string WholeSystem::ask_webhook() const {
    asio::io_context io;
    tls::ClientOptions unverified;
    unverified.verify = tls::Verify::none;
    http::Client client(io, {true, "127.0.0.1", webhook_port_}, std::move(unverified));
    const auto response = value_or_throw(run(io, client.send({}, SteadyClock::now() + 10s)));
    return std::string(response.headers.find("Connection").value_or(""));
}

std::string WholeSystem::operator_metrics() const {
    return get_body(metrics_port_, "/metrics");
}

double WholeSystem::operator_metric(const std::string& name_and_labels) const {
    std::istringstream lines(operator_metrics());
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name_and_labels + " ")) return std::stod(line.substr(name_and_labels.size()));
    return 0;
}

std::string WholeSystem::kubectl(std::vector<std::string> arguments, const std::string& input) const {
    arguments.push_back("--namespace=" + name_space_);
    return value_or_throw(control_plane().kubectl(arguments, input));
}

void WholeSystem::create_connection() {
    kubectl({"create", "--filename=-"}, connection_manifest().dump());
}

void WholeSystem::create(const json& object) {
    kubectl({"create", "--filename=-"}, object.dump());
}

void WholeSystem::await_connection() {
    kubectl({"wait", "vkc/sessions", "--for=condition=Ready", "--timeout=30s"});
}

void WholeSystem::edit_connection(const json& patch) {
    kubectl({"patch", "vkc/sessions", "--type=merge", "--patch=" + patch.dump()});
}

void WholeSystem::delete_connection() {
    kubectl({"delete", "vkc/sessions"});
}

void WholeSystem::annotate_connection(const std::string& key_and_value) {
    kubectl({"annotate", "--overwrite", "vkc/sessions", key_and_value});
}

void WholeSystem::create_pod(const json& annotations) {
    auto pod = pod_manifest("shop", sidecar_port_);
    pod["metadata"]["annotations"].update(annotations);
    const auto stored = json::parse(kubectl({"create", "--filename=-", "--output=json"}, pod.dump()));
    if (!stored.at("spec").contains("initContainers"))
        throw std::runtime_error("the API server stored the pod without a sidecar");
}

void WholeSystem::run_pod() {
    ProcessOptions options;
    options.argv = {CVP_PODRUN,
                    "--kubeconfig=" + control_plane().admin_kubeconfig().string(),
                    "--namespace=" + name_space_,
                    "--pod=shop",
                    std::string("--image=proxy:1=") + CVP_PROXY_BINARY,
                    "--env=CVP_ADMIN_LISTEN=127.0.0.1:" + std::to_string(admin_port_),
                    "--env=CVP_LOG_LEVEL=debug",
                    "--log=" + (dir_.path() / "sidecar.log").string()};
    for (const auto& variable : cloud_env())
        options.argv.push_back("--env=" + variable);
    options.log_file = dir_.path() / "podrun.log";
    podrun_ = value_or_throw(Process::start(options));
}

void WholeSystem::await_sidecar_started() {
    if (!eventually([&] { return sidecar_status().value("started", false); }, 30s))
        throw std::runtime_error("the sidecar does not start:\n" + tail_of(dir_.path() / "podrun.log") +
                                 tail_of(dir_.path() / "sidecar.log"));
}

void WholeSystem::kill_sidecar() {
    ::kill(find_child(podrun_->pid(), "--connection"), SIGKILL);
}

json WholeSystem::sidecar_status() const {
    const auto pod = json::parse(kubectl({"get", "pod/shop", "--output=json"}));
    const auto statuses = pod.at("status").value("initContainerStatuses", json::array());
    return statuses.empty() ? json::object() : statuses.front();
}

json WholeSystem::sidecar_page() const {
    return json::parse(get_body(admin_port_, "/status"));
}

std::string WholeSystem::ask(const std::vector<std::string>& words) const {
    auto client = RespClient::connect("127.0.0.1", sidecar_port_);
    if (!client) return to_string(client.error());
    const auto reply = client->command(words, 20s);
    return reply ? to_string(*reply) : to_string(reply.error());
}

std::filesystem::path WholeSystem::in_sidecar(const std::string& path) const {
    return "/proc/" + std::to_string(podrun_->pid()) + "/root" + path;
}

json WholeSystem::connection() const {
    return json::parse(kubectl({"get", "vkc/sessions", "--output=json"}));
}

json WholeSystem::config_map() const {
    return json::parse(kubectl({"get", "configmap/cloudvalkey-sessions", "--output=json"}));
}

bool WholeSystem::has_config_map() const {
    return !kubectl({"get", "configmap/cloudvalkey-sessions", "--ignore-not-found", "--output=name"}).empty();
}

std::pair<std::string, std::string> WholeSystem::versions() const {
    return {config_map()["metadata"]["resourceVersion"], connection()["metadata"]["resourceVersion"]};
}

std::uint64_t WholeSystem::cloud_calls() const {
    return value_or_throw(emulator_->calls("rest instances.get")) +
           value_or_throw(emulator_->calls("rest instances.certificateAuthority"));
}

std::vector<Evidence> WholeSystem::evidence() const {
    std::vector<Evidence> evidence{
        {"the sidecar's log", read_file(dir_.path() / "sidecar.log")},
        {"the sidecar's /status", get_body(admin_port_, "/status")},
        {"the sidecar's /metrics", get_body(admin_port_, "/metrics")},
        {"the operator's log", read_file(dir_.path() / "operator.log")},
        {"the operator's /metrics", operator_metrics()},
        {"the operator's argv", read_file("/proc/" + std::to_string(operator_->pid()) + "/cmdline")},
    };
    for (const auto* kind : {"vkc", "configmap", "pod", "events", "secret"})
        evidence.push_back({kind, kubectl({"get", kind, "--output=json"})});
    return evidence;
}

Evidence WholeSystem::resolve() const {
    ProcessOptions options;
    options.argv = {CVP_OPERATOR_BINARY, "resolve", "-f", "-"};
    options.env = cloud_env();
    const auto result = value_or_throw(run_command(options, connection_manifest().dump()));
    if (result.status != 0) throw std::runtime_error("resolve failed: " + result.err);
    return {"resolve", result.out + result.err};
}

}  // namespace cvp::test
