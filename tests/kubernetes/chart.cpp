#include "tests/kubernetes/chart.hpp"

#include <chrono>
#include <stdexcept>

#include "tests/kubernetes/environment.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

constexpr auto kTimeLimit = std::chrono::minutes(2);

std::string run_helm_alone(std::vector<std::string> arguments, int& status) {
    ProcessOptions options;
    options.argv = std::move(arguments);
    options.argv.insert(options.argv.begin(), control_plane().tools() / "helm");
    // Nothing of the user's own settings, and nothing written to them.
    options.env = {"HELM_CONFIG_HOME=/nonexistent", "HELM_CACHE_HOME=/nonexistent", "HELM_DATA_HOME=/nonexistent",
                   "KUBECACHEDIR=/nonexistent"};
    const auto result = run_command(std::move(options), {}, kTimeLimit);
    if (!result) throw std::runtime_error(result.error().context);
    status = result->status;
    return result->out + result->err;
}

}  // namespace

void ensure_release_namespace() {
    if (control_plane().kubectl({"get", "namespace", "cloud-valkey"})) return;
    const auto made = control_plane().make_namespace("cloud-valkey");
    if (!made) throw std::runtime_error(made.error().context);
}

std::string run_helm(std::vector<std::string> arguments, int& status) {
    arguments.push_back(source_path("charts/cloud-valkey-proxy"));
    return run_helm_alone(std::move(arguments), status);
}

std::string run_helm_on_cluster(std::vector<std::string> arguments) {
    arguments.push_back("--kubeconfig=" + control_plane().admin_kubeconfig().string());
    int status = 0;
    const auto command = arguments.front();
    auto text = run_helm_alone(std::move(arguments), status);
    if (status != 0) throw std::runtime_error("helm " + command + ": " + text);
    return text;
}

std::string render_chart(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"template", "--namespace=cloud-valkey", "--skip-tests"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.emplace_back("release");
    int status = 0;
    auto text = run_helm(std::move(all), status);
    if (status != 0) throw std::runtime_error("helm template: " + text);
    return text;
}

}  // namespace cvp::test
