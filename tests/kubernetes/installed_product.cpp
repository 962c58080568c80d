#include "tests/kubernetes/installed_product.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <utility>

#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/valkey_server.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr const char* kRelease = "product";

}  // namespace

InstalledProduct::InstalledProduct(const std::filesystem::path& chart)
    : name_space_(make_fresh_namespace("release")),
      webhook_port_(value_or_throw(free_port())),
      metrics_port_(value_or_throw(free_port())),
      probe_port_(value_or_throw(free_port())) {
    helm("install", chart_and_values(chart));
}

InstalledProduct::~InstalledProduct() {
    if (operator_) operator_->stop(20s, SIGINT);
    const auto remove = [](std::vector<std::string> what) {
        what.insert(what.begin(), {"delete", "--ignore-not-found", "--wait=false"});
        (void)control_plane().kubectl(what);
    };
    remove({"clusterrole,clusterrolebinding,mutatingwebhookconfiguration", "cloud-valkey-operator"});
    remove({"validatingadmissionpolicy,validatingadmissionpolicybinding", "cloudvalkey-guard", "cloudvalkey-hint"});
    remove({"namespace", name_space_});
}

std::vector<std::string> InstalledProduct::chart_and_values(const std::filesystem::path& chart) const {
    return {chart.string(),
            "--set=crds.enabled=false,webhook.url=https://127.0.0.1:" + std::to_string(webhook_port_) + "/mutate-pods"};
}

std::string InstalledProduct::helm(const std::string& command, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{command, kRelease, "--namespace=" + name_space_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_helm_on_cluster(std::move(arguments));
}

void InstalledProduct::start_operator(std::vector<std::string> env) {
    ProcessOptions options;
    options.argv = {
        CVP_OPERATOR_BINARY,
        "--kubeconfig=" +
            value_or_throw(control_plane().write_kubeconfig_of_service_account(name_space_, "cloud-valkey-operator"))
                .string(),
        "--proxy-image=proxy:1",
        "--webhook-port=" + std::to_string(webhook_port_),
        "--metrics-port=" + std::to_string(metrics_port_),
        "--probe-port=" + std::to_string(probe_port_),
    };
    options.env = std::move(env);
    options.log_file = dir_.path() / "operator.log";
    operator_ = value_or_throw(Process::start(options));
    const auto is_ready = [this] {
        const auto answer = http_get("127.0.0.1", probe_port_, "/readyz");
        return answer && answer->status == 200;
    };
    if (!eventually(is_ready, 30s))
        throw std::runtime_error("the operator does not get ready:\n" + tail_of(options.log_file));
}

void InstalledProduct::stop_operator() {
    operator_->stop(20s, SIGINT);
    operator_.reset();
}

std::string InstalledProduct::run_pod(const std::string& name, const std::vector<std::string>& more) {
    ApiSession api;
    const auto target = pods_of(name_space_) + "/" + name;
    const auto get = [&] { return json::parse(api.send("GET", target).body); };
    if (!eventually([&] { return get()["kind"] == "Pod"; })) throw std::runtime_error("there is no pod " + name);
    const auto pod = get();
    const auto& spec = pod["spec"];
    ProcessOptions options;
    options.argv = {CVP_OPERATOR_BINARY};
    for (const auto& argument : spec["containers"][0]["args"])
        options.argv.push_back(argument);
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    options.env = {"KUBECONFIG=" + value_or_throw(control_plane().write_kubeconfig_of_service_account(
                                                      name_space_, spec["serviceAccountName"].get<std::string>()))
                                       .string()};
    const auto ended = value_or_throw(run_command(options, {}, 90s));
    const json status = {{"status", {{"phase", ended.status == 0 ? "Succeeded" : "Failed"}}}};
    api.send("PATCH", target + "/status", status.dump(), "application/merge-patch+json");
    return ended.out + ended.err;
}

std::string fate_of_pod(ApiSession& api, const std::string& name_space, bool asks) {
    auto pod = json::parse(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "probe-"},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]}})");
    if (asks) pod["metadata"]["annotations"]["cloudvalkey.dev/connections"] = "sessions";
    const auto answer = api.create(pods_of(name_space) + "?dryRun=All", pod);
    if (answer["kind"] != "Pod") return answer.value("message", "?");
    return answer["spec"].contains("initContainers") ? "injected" : "bare";
}

}  // namespace cvp::test
