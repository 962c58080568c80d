#include "tests/e2e/node.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <fmt/format.h>

#include "tests/kubernetes/administrator.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

constexpr auto kCommandLimit = std::chrono::minutes(5);

std::filesystem::path directory_of(const char* variable) {
    const auto* value = std::getenv(variable);
    if (value == nullptr) throw std::runtime_error(std::string(variable) + " is not set: tests/e2e/run.sh sets it");
    return value;
}

std::filesystem::path cluster() {
    return directory_of("CVP_CLUSTER");
}

CommandResult run_tool(const std::string& name, const std::vector<std::string>& arguments, const std::string& input) {
    ProcessOptions options;
    options.argv = {cluster_tool(name).string()};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return value_or_throw(run_command(std::move(options), input, kCommandLimit));
}

std::string expect_success(const std::string& name, const std::vector<std::string>& arguments, CommandResult result) {
    if (result.status != 0)
        throw std::runtime_error(fmt::format("{} {}: {}{}", name, fmt::join(arguments, " "), result.err,
                                             result.err.empty() ? result.out : ""));
    return std::move(result.out);
}

}  // namespace

std::filesystem::path admin_kubeconfig() {
    return cluster() / "admin.kubeconfig";
}

std::filesystem::path cluster_tool(const std::string& name) {
    return cluster() / "bin" / name;
}

std::string kubectl(const std::vector<std::string>& arguments, const std::string& input) {
    return expect_success("kubectl", arguments, run_tool("kubectl", arguments, input));
}

CommandResult try_kubectl(const std::vector<std::string>& arguments, const std::string& input) {
    return run_tool("kubectl", arguments, input);
}

std::string helm(const std::vector<std::string>& arguments) {
    return expect_success("helm", arguments, run_tool("helm", arguments, {}));
}

void apply_manifest(const std::string& name_space, const std::string& manifest) {
    kubectl({"apply", "--namespace", name_space, "--filename", "-"}, manifest);
}

json find_object(const std::string& name_space, const std::string& name) {
    const auto found = kubectl({"get", name, "--namespace", name_space, "--output=json", "--ignore-not-found"});
    return found.empty() ? json() : json::parse(found);
}

void await(const std::string& name_space, const std::string& object, const std::string& condition,
           std::chrono::seconds limit) {
    kubectl(
        {"wait", object, "--namespace", name_space, "--for=" + condition, fmt::format("--timeout={}s", limit.count())});
}

void await_rollout(const std::string& name_space, const std::string& workload) {
    kubectl({"rollout", "status", workload, "--namespace", name_space, "--timeout=90s"});
}

void node_service(const std::string& verb, const std::string& name) {
    ProcessOptions options;
    options.argv = {source_path("scripts/cluster.sh").string(), verb, name};
    expect_success("cluster.sh", {verb, name}, value_or_throw(run_command(std::move(options), {}, kCommandLimit)));
}

pid_t process_of(const json& pod, const std::string& command) {
    const auto group = "/pod" + pod.at("metadata").at("uid").get<std::string>() + "/";
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (read_file(entry.path() / "cgroup").find(group) != std::string::npos &&
            read_file(entry.path() / "cmdline").starts_with(command))
            return std::stoi(name);
    }
    return -1;
}

void report(const std::string& line) {
    std::ofstream(directory_of("CVP_REPORT"), std::ios::app) << line << '\n';
}

}  // namespace cvp::test
