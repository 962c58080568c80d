#include "tests/e2e/application.hpp"

#include <stdexcept>

#include "tests/e2e/cloud.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

constexpr std::uint16_t kPort = 8080;
constexpr std::uint16_t kAdminPort = 9379;

Account read_account(const json& told) {
    Account account;
    account.next = told.at("next").get<std::size_t>();
    account.refused = told.at("refused").get<std::set<std::size_t>>();
    const auto unknown = told.at("unknown").get<std::set<std::size_t>>();
    for (std::size_t number = 1; number < account.next; ++number) {
        if (!account.refused.contains(number) && !unknown.contains(number)) account.done.insert(number);
    }
    return account;
}

}  // namespace

json application_pod(const std::string& name, const ApplicationOptions& options) {
    json container = {
        {"name", "app"}, {"image", kAppImage}, {"command", {"python3", "/app.py"}}, {"args", options.arguments}};
    // Nobody is told of it by a service before it works.
    container["readinessProbe"] = {{"httpGet", {{"port", kPort}, {"path", "/"}}}, {"periodSeconds", 1}};
    container["securityContext"] = {
        {"allowPrivilegeEscalation", false}, {"readOnlyRootFilesystem", true}, {"capabilities", {{"drop", {"ALL"}}}}};
    json pod = {{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", {{"name", name}}},
                {"spec",
                 {{"containers", {container}},
                  {"terminationGracePeriodSeconds", options.grace_seconds},
                  {"securityContext",
                   {{"runAsNonRoot", true}, {"runAsUser", 65532}, {"seccompProfile", {{"type", "RuntimeDefault"}}}}}}}};
    if (!options.connections.empty())
        pod["metadata"]["annotations"]["cloudvalkey.dev/connections"] = options.connections;
    if (!options.sidecar.is_null()) pod["spec"]["initContainers"] = {options.sidecar};
    return pod;
}

Application::Application(std::string name_space, const std::string& name, const ApplicationOptions& options)
    : name_space_(std::move(name_space)), name_(name) {
    apply_manifest(name_space_, application_pod(name, options).dump());
}

json Application::pod() const {
    return find_object(name_space_, "pod/" + name_);
}

std::chrono::milliseconds Application::await_ready() {
    const auto began = std::chrono::steady_clock::now();
    await(name_space_, "pod/" + name_, "condition=Ready");
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

const std::string& Application::address() const {
    if (address_.empty()) address_ = pod().at("status").at("podIP").get<std::string>();
    return address_;
}

json Application::ask() const {
    return json::parse(value_or_throw(http_get(address(), kPort, "/")).body);
}

double Application::metric(const std::string& name) const {
    const auto text = "\n" + value_or_throw(http_get(address(), kAdminPort, "/metrics")).body;
    const auto at = text.find("\n" + name + "{");
    return at == std::string::npos ? -1 : std::stod(text.substr(text.find("} ", at) + 2));
}

std::string Application::run(const std::vector<std::string>& command) const {
    std::vector<std::string> arguments = {"exec", name_, "--namespace", name_space_, "--container=app", "--"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return kubectl(arguments);
}

Account Application::account() const {
    return read_account(ask());
}

std::vector<std::string> Application::faults() const {
    return ask().at("faults").get<std::vector<std::string>>();
}

void Application::await_progress(std::size_t count) const {
    const auto wanted = account().done.size() + count;
    if (!eventually([&] { return account().done.size() >= wanted; }))
        throw std::runtime_error(name_ + " does not get on: " + ask().dump());
}

std::string Application::compare_with_server() const {
    return cvp::test::compare_with_server(name_, ask());
}

int Application::restarts_of_sidecar() const {
    const auto made = pod();
    if (made.at("status").value("initContainerStatuses", json::array()).empty()) return 0;
    return status_of(made, "cloud-valkey-proxy").at("restartCount").get<int>();
}

std::string compare_with_server(const std::string& pod, const json& told) {
    const auto account = read_account(told);
    auto list = ask_valkey({"LRANGE", "journal:" + pod, "0", "-1"}).get<std::vector<std::string>>();
    // What it has sent since it was asked.
    while (!list.empty() && std::stoul(list.back()) >= account.next)
        list.pop_back();
    return find_fault(account, list);
}

json status_of(const json& pod, const std::string& container) {
    for (const auto* list : {"initContainerStatuses", "containerStatuses"}) {
        for (const auto& status : pod.at("status").value(list, json::array())) {
            if (status.at("name") == container) return status;
        }
    }
    throw std::runtime_error("the pod has no status of " + container + ": " + pod.at("status").dump());
}

}  // namespace cvp::test
