// docs/first-hour.md: what a user sees of an installation, as the programs print it today.
//
// Each block of ```console in the page begins with a command; what follows must be what that command prints here, but
// for ages, ports, times and the like (without_chance()). CVP_UPDATE_DOCS=1 writes it anew: read the diff then.

#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/installed_product.hpp"
#include "tests/support/emulator_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/made_file.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

constexpr auto kPage = "docs/first-hour.md";
constexpr auto kInstance = "projects/my-project/locations/us-central1/instances/my-valkey";

class ChartFirstHour : public testing::Test {
protected:
    ChartFirstHour() {
        std::filesystem::create_directories(dir_.path() / "cloud");
        cloud_ =
            value_or_throw(EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path() / "cloud",
                                                  {"--instance", std::string(kInstance) + ":valkey,replica,front"}));
        product_.start_operator(cloud_env());
        kubectl({"create", "namespace", "shop"});
        std::filesystem::create_symlink(CVP_PLUGIN_BINARY, dir_.path() / "kubectl-cloudvalkey");
        std::filesystem::create_symlink(CVP_PROXY_BINARY, dir_.path() / "cloud-valkey-proxy");
    }

    std::vector<std::string> cloud_env() const {
        return {"CVP_GOOGLE_API_BASE=" + cloud_->rest_base(), "GCE_METADATA_HOST=" + cloud_->metadata_host()};
    }

    /// A command of the page, in a shell whose PATH has what a user's has.
    std::string run(const std::string& command) {
        ProcessOptions options;
        options.argv = {"/bin/sh", "-c", command};
        options.env = cloud_env();
        options.env.push_back("PATH=" + dir_.path().string() + ":" + control_plane().tools().string() +
                              ":/usr/bin:/bin");
        options.env.push_back("KUBECONFIG=" + control_plane().admin_kubeconfig().string());
        const auto ended = value_or_throw(run_command(options, {}, std::chrono::seconds(60)));
        return without_chance(ended.out + ended.err);
    }

    std::string without_chance(std::string text) const {
        const auto replace = [&](const char* pattern, const char* by) {
            text = std::regex_replace(text, std::regex(pattern), by);
        };
        text = std::regex_replace(text, std::regex(product_.name_space()), "cloud-valkey");
        replace("127\\.0\\.0\\.1:[0-9]{5}", "10.128.0.8:6379");
        replace("127\\.0\\.0\\.2:[0-9]{5}", "10.128.0.9:6379");
        replace("ip:127\\.0\\.0\\.1", "ip:10.128.0.8");
        replace("ip:127\\.0\\.0\\.2", "ip:10.128.0.9");
        replace("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "2026-11-26T12:00:00Z");
        replace("\\b[0-9]{2}s ", "9s  ");  // in a column, which stays as wide as it is
        replace("\\b([0-9]+m)?[0-9]{1,2}s\\b", "9s");
        replace("x[0-9]+ over 9s", "x2 over 9s");
        replace("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "5f3c2d60-8a41-4d0f-9d5e-6c1b7a2e9f10");
        replace("v1\\.[0-9]+\\.[0-9]+", "v1.36.3");
        replace("Resource Version: +[0-9]+", "Resource Version:    4711");
        replace("✓ [A-Za-z0-9_.-]+ leads", "✓ cloud-valkey-operator-7d4b9c-x2x7p leads");
        return text;
    }

    void kubectl(std::vector<std::string> arguments, const std::string& input = {}) {
        value_or_throw(control_plane().kubectl(arguments, input));
    }

    TempDir dir_{"cvp-first-hour"};
    std::optional<EmulatorProcess> cloud_;
    InstalledProduct product_;
};

TEST_F(ChartFirstHour, is_as_the_page_shows_it) {
    kubectl({"apply", "--namespace=shop", "--filename=-"}, R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: sessions}
spec: {instance: {memorystoreValkey: {name: my-valkey}}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, annotations: {cloudvalkey.dev/connections: sessions}}
spec: {containers: [{name: app, image: "shop:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec: {containers: [{name: app, image: "shop:1"}]}
)");
    kubectl({"wait", "--namespace=shop", "--for=condition=Ready", "vkc/sessions", "--timeout=20s"});
    ASSERT_TRUE(eventually([&] { return run("kubectl get vkc -n shop").find("0/1") != std::string::npos; }))
        << "the pod is counted";

    // Another connection, which the operator may not read: not even when it tries again, while the page is made.
    ASSERT_TRUE(cloud_->admin("POST", "faults/rest", {{"status", 403}}));
    kubectl({"apply", "--namespace=shop", "--filename=-"}, R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: orders}
spec: {instance: {memorystoreValkey: {name: orders}}}
)");
    kubectl({"wait", "--namespace=shop", "--for=condition=Ready=False", "vkc/orders", "--timeout=20s"});

    std::istringstream page(read_source(kPage));
    std::string made;
    for (std::string line; std::getline(page, line);) {
        made += line + "\n";
        if (line != "```console") continue;
        std::getline(page, line);
        made += line + "\n";
        const auto command = line.substr(2);
        if (command.starts_with("cloud-valkey-proxy")) {
            ASSERT_TRUE(cloud_->admin("DELETE", "faults", {}));
            ASSERT_TRUE(
                cloud_->admin("POST", std::string("fronts/") + kInstance + ":fault", {{"answer", "WRONGPASS"}}));
        }
        const bool asks_where = command.find("check") != std::string::npos;
        made += run(command + (asks_where ? " --operator-namespace=" + product_.name_space() : "")) + "```\n";
        while (std::getline(page, line) && line != "```") {
        }
    }
    EXPECT_EQ(differs_from_made(kPage, made, "CVP_UPDATE_DOCS"), "");
}

}  // namespace
}  // namespace cvp::test
