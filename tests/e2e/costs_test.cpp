// What the sidecar and the operator cost on a node.

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/read_file.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

class Costs : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        connect();
    }

    /// Milliseconds from the call that makes a pod to its container's first instruction.
    double start_pod(const std::string& name, bool with_sidecar) {
        ApplicationOptions options;
        if (!with_sidecar) options.connections = "";
        auto pod = application_pod(name, options);
        auto& container = pod["spec"]["containers"][0];
        container["command"] = {"date", "+%s.%N"};
        container.erase("args");
        container.erase("readinessProbe");
        pod["spec"]["restartPolicy"] = "Never";
        const auto began = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        apply_manifest(name_space(), pod.dump());
        await(name_space(), "pod/" + name, "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}=0");
        const auto printed = kubectl({"logs", name, "--namespace", name_space(), "--container=app"});
        kubectl({"delete", "pod", name, "--namespace", name_space(), "--wait=false"});
        return (std::stod(printed) - began) * 1000;
    }
    static double median(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        return (values[values.size() / 2] + values[(values.size() - 1) / 2]) / 2;
    }
    static std::string memory_of(pid_t pid) {
        const auto status = read_file("/proc/" + std::to_string(pid) + "/status");
        const auto kilobytes = [&](const std::string& key) {
            return std::stoi(status.substr(status.find(key + ":") + key.size() + 1)) / 1024.0;
        };
        return fmt::format("{:.1f} MB, of it private {:.1f} MB", kilobytes("VmRSS"), kilobytes("RssAnon"));
    }
};

TEST_F(Costs, of_a_pods_start) {
    constexpr int kRounds = 20;
    std::vector<double> with, without;
    for (int round = 0; round < kRounds; ++round) {
        without.push_back(start_pod(fmt::format("without-{}", round), false));
        with.push_back(start_pod(fmt::format("with-{}", round), true));
    }
    report(fmt::format(
        "from the call that makes a pod to its application's first instruction, median of {}: {:.0f} ms "
        "without a sidecar ({:.0f} to {:.0f}), {:.0f} ms with ({:.0f} to {:.0f}): it costs {:.0f} ms",
        kRounds, median(without), *std::ranges::min_element(without), *std::ranges::max_element(without), median(with),
        *std::ranges::min_element(with), *std::ranges::max_element(with), median(with) - median(without)));
}

TEST_F(Costs, of_a_change) {
    constexpr int kRounds = 5;
    auto app = start_application();
    std::vector<double> seconds;
    for (int round = 0; round < kRounds; ++round) {
        const auto taken = app.metric("cloudvalkey_proxy_config_generation");
        kubectl({"patch", "vkc", "sessions", "--namespace", name_space(), "--type=merge", "--patch",
                 fmt::format(R"({{"spec":{{"proxy":{{"connectHold":"{}ms"}}}}}})", 1000 + round)});
        const auto began = std::chrono::steady_clock::now();
        ASSERT_TRUE(eventually([&] { return app.metric("cloudvalkey_proxy_config_generation") > taken; },
                               std::chrono::seconds(60)));
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    }
    report(
        fmt::format("from a change of a connection to its use in a running pod, kubelet's syncFrequency being 10 s: "
                    "median of {} {:.1f} s, at most {:.1f} s",
                    kRounds, median(seconds), *std::ranges::max_element(seconds)));
    EXPECT_EQ(app.restarts_of_sidecar(), 0);
}

TEST_F(Costs, of_memory) {
    auto app = start_application();
    const auto sidecar = process_of(app.pod(), "/cloud-valkey-proxy");
    ASSERT_GT(sidecar, 0);
    report("resident memory of a sidecar: " + memory_of(sidecar));
    const auto operators = json::parse(kubectl({"get", "pods", "--namespace=cloud-valkey", "--output=json",
                                                "--selector=app.kubernetes.io/component=operator"}));
    for (const auto& pod : operators.at("items")) {
        const auto pid = process_of(pod, "/cloud-valkey-operator");
        ASSERT_GT(pid, 0);
        report("resident memory of an operator: " + memory_of(pid));
    }
}

}  // namespace
}  // namespace cvp::test
