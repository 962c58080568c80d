#include "tests/kubernetes/operator_fleet.hpp"

#include <csignal>
#include <sstream>
#include <stdexcept>

#include "common/crypto/base64.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/operator_account.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/valkey_server.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto kLimit = 60s;

std::uint16_t some_port() {
    return value_or_throw(free_port());
}

}  // namespace

OperatorFleet::OperatorFleet(std::vector<std::string> flags)
    : name_space_(make_fresh_namespace("fleet")), flags_(std::move(flags)) {
    std::filesystem::create_directories(dir_.path() / "cloud");
    emulator_ = value_or_throw(EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path() / "cloud",
                                                      {"--instance", std::string(kInstance) + ":valkey"}));
    install_operator_account({"--set", "watchNamespaces={" + name_space_ + "}"});
    kubeconfig_ = value_or_throw(
        control_plane().write_kubeconfig_of_service_account(kOperatorNamespace, "cloud-valkey-operator"));
    webhook_.emplace("https://127.0.0.1:" + std::to_string(balancer_.port()) + "/mutate-pods");
    const auto first = add();
    const auto second = add();
    await_ready(first);
    await_ready(second);
}

OperatorFleet::~OperatorFleet() {
    for (auto& replica : replicas_)
        if (replica.process) replica.process->signal(SIGINT);  // SIGTERM would answer admissions for 10 s more
    for (auto& replica : replicas_)
        if (replica.process) replica.process->stop(20s, SIGINT);
    (void)control_plane().kubectl({"delete", "clusterrole,clusterrolebinding", "cloud-valkey-operator"});
}

std::size_t OperatorFleet::add() {
    const auto number = replicas_.size();
    auto& replica = replicas_.emplace_back(Replica{some_port(), some_port(), some_port(), std::nullopt});
    balancer_.add({replica.webhook_port, replica.probe_port});
    launch(number);
    return number;
}

void OperatorFleet::launch(std::size_t number) {
    auto& replica = replicas_.at(number);
    ProcessOptions options;
    options.argv = {CVP_OPERATOR_BINARY,
                    "--kubeconfig=" + kubeconfig_.string(),
                    "--proxy-image=proxy:1",
                    "--watch-namespaces=" + name_space_,
                    "--webhook-port=" + std::to_string(replica.webhook_port),
                    "--metrics-port=" + std::to_string(replica.metrics_port),
                    "--probe-port=" + std::to_string(replica.probe_port)};
    options.argv.insert(options.argv.end(), flags_.begin(), flags_.end());
    options.env = {"CVP_GOOGLE_API_BASE=" + emulator_->rest_base(), "GCE_METADATA_HOST=" + emulator_->metadata_host()};
    options.log_file = log_of(number);
    replica.process = value_or_throw(Process::start(options));
}

void OperatorFleet::restart(std::size_t replica) {
    launch(replica);
}

void OperatorFleet::await_ready(std::size_t replica) {
    if (!eventually([&] { return balancer_.is_ready(replica); }, kLimit))
        throw std::runtime_error("replica " + std::to_string(replica) + " does not get ready:\n" + log_tail(replica));
}

void OperatorFleet::signal(std::size_t replica, int number) {
    replicas_.at(replica).process->signal(number);
}

int OperatorFleet::await_exit(std::size_t replica) {
    auto& process = replicas_.at(replica).process;
    const auto status = process->wait(kLimit);
    if (!status)
        throw std::runtime_error("replica " + std::to_string(replica) + " does not end:\n" + log_tail(replica));
    process.reset();
    return *status;
}

std::size_t OperatorFleet::leader() {
    std::optional<std::size_t> leads;
    const auto find = [&] {
        for (std::size_t i = 0; i < replicas_.size(); ++i) {
            if (!replicas_[i].process) continue;
            if (metric(i, R"(leader_election_master_status{name="cloud-valkey-operator"})") == 1) leads = i;
        }
        return leads.has_value();
    };
    if (!eventually(find, kLimit)) throw std::runtime_error("nobody leads");
    return *leads;
}

std::size_t OperatorFleet::follower() {
    const auto leads = leader();
    for (std::size_t i = 0; i < replicas_.size(); ++i)
        if (i != leads && replicas_[i].process) return i;
    throw std::runtime_error("there is no follower");
}

void OperatorFleet::steal_lease() {
    value_or_throw(control_plane().kubectl({"patch", "lease/cloud-valkey-operator", "--type=merge",
                                            "--patch={\"spec\":{\"holderIdentity\":\"thief\"}}",
                                            "--namespace=" + std::string(kOperatorNamespace)}));
}

std::string OperatorFleet::kubectl(std::vector<std::string> arguments, const std::string& input) const {
    arguments.push_back("--namespace=" + name_space_);
    return value_or_throw(control_plane().kubectl(arguments, input));
}

void OperatorFleet::create_connection(const std::string& name) {
    const json connection{{"apiVersion", "cloudvalkey.dev/v1alpha1"},
                          {"kind", "ValkeyConnection"},
                          {"metadata", {{"name", name}}},
                          {"spec", {{"instance", {{"memorystoreValkey", {{"name", kInstance}}}}}}}};
    kubectl({"create", "--filename=-"}, connection.dump());
}

void OperatorFleet::await_connection(const std::string& name) {
    kubectl({"wait", "vkc/" + name, "--for=condition=Ready", "--timeout=50s"});
}

json OperatorFleet::config_map(const std::string& connection) const {
    return json::parse(kubectl({"get", "configmap/cloudvalkey-" + connection, "--output=json"}));
}

std::uint64_t OperatorFleet::cloud_calls() const {
    return value_or_throw(emulator_->calls("rest instances.get")) +
           value_or_throw(emulator_->calls("rest instances.certificateAuthority"));
}

std::string OperatorFleet::bundle() const {
    const auto text = kubectl({"get", "mutatingwebhookconfiguration/cloud-valkey-operator",
                               "--output=jsonpath={.webhooks[0].clientConfig.caBundle}"});
    return value_or_throw(crypto::base64_decode(text));
}

void OperatorFleet::set_bundle(const std::string& pem) {
    const json patch = json::array(
        {{{"op", "add"}, {"path", "/webhooks/0/clientConfig/caBundle"}, {"value", crypto::base64_encode(pem)}}});
    kubectl({"patch", "mutatingwebhookconfiguration/cloud-valkey-operator", "--type=json", "--patch=" + patch.dump()});
}

void OperatorFleet::rotate_ca(const std::string& wish) {
    value_or_throw(control_plane().kubectl({"annotate", "--overwrite", "secret/cloud-valkey-operator-tls",
                                            "cloudvalkey.dev/rotate-ca=" + wish,
                                            "--namespace=" + std::string(kOperatorNamespace)}));
}

double OperatorFleet::metric(std::size_t replica, const std::string& name_and_labels) const {
    const auto response = http_get("127.0.0.1", replicas_.at(replica).metrics_port, "/metrics");
    std::istringstream lines(response ? response->body : "");
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name_and_labels + " ")) return std::stod(line.substr(name_and_labels.size()));
    return 0;
}

std::filesystem::path OperatorFleet::log_of(std::size_t replica) const {
    return dir_.path() / ("operator-" + std::to_string(replica) + ".log");
}

std::string OperatorFleet::log_tail(std::size_t replica) const {
    return tail_of(log_of(replica));
}

}  // namespace cvp::test
