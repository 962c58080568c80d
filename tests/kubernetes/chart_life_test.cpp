// A release's life by helm's own commands, on a real API server: installed, tested, upgraded, uninstalled.

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/installed_product.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/silent_port.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ChartLife : public testing::Test {
protected:
    explicit ChartLife(const std::filesystem::path& chart = source_path("charts/cloud-valkey-proxy"))
        : product_(chart) {}

    std::string fate(bool asks) { return fate_of_pod(api_, name_space_, asks); }

    /// `helm test`, and its pod run. @return what both printed
    std::pair<std::string, std::string> test(const std::vector<std::string>& more = {}) {
        auto helm = std::async(std::launch::async, [this]() -> std::string {
            try {
                return product_.helm("test");
            } catch (const std::exception& fault) {
                return fault.what();
            }
        });
        auto printed = product_.run_pod("cloud-valkey-operator-selftest", more);
        return {helm.get(), printed};
    }

    /// kubectl-cloudvalkey as its user runs it. @param status expected exit code
    std::string plugin(std::vector<std::string> arguments, int status) {
        ProcessOptions options;
        options.argv = {CVP_PLUGIN_BINARY};
        options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
        options.env = {"PATH=" + control_plane().tools().string(),
                       "KUBECONFIG=" + control_plane().admin_kubeconfig().string()};
        const auto ended = value_or_throw(run_command(options, {}, std::chrono::seconds(60)));
        EXPECT_EQ(ended.status, status) << ended.out << ended.err;
        return ended.out + ended.err;
    }

    InstalledProduct product_;
    const std::string name_space_ = make_fresh_namespace("life");
    ApiSession api_;
};

TEST_F(ChartLife, is_installed_tested_upgraded_and_uninstalled) {
    product_.start_operator();
    const auto [helm, printed] = test();
    EXPECT_THAT(helm, HasSubstr("Succeeded"));
    EXPECT_THAT(printed, AllOf(HasSubstr("✓ a pod that asks is injected in namespace default"),
                               HasSubstr("✓ it stays as it is in namespace " + product_.name_space())));

    const auto bundle = [this] {
        const auto webhook =
            api_.get("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/cloud-valkey-operator");
        return webhook["webhooks"][0]["clientConfig"].value("caBundle", "");
    };
    const auto before = bundle();
    EXPECT_NE(before, "");
    EXPECT_THAT(product_.helm("upgrade", product_.chart_and_values()), HasSubstr("has been upgraded"));
    EXPECT_EQ(bundle(), before) << "an upgrade leaves the CA to the operator";
    EXPECT_EQ(fate(true), "injected");

    product_.helm("uninstall");
    product_.stop_operator();
    EXPECT_TRUE(eventually([&] { return fate(true) == "bare"; }));
    EXPECT_EQ(fate(false), "bare");
}

/// The chart as it was when its values were frozen: the oldest that an upgrade comes from.
class ChartFromFrozen : public ChartLife {
protected:
    ChartFromFrozen() : ChartLife(source_path("tests/golden/cloud-valkey-proxy-0.1.0.tgz")) {}
};

TEST_F(ChartFromFrozen, is_upgraded_without_an_operator_noticing) {
    product_.start_operator();
    EXPECT_EQ(fate(true), "injected");
    EXPECT_THAT(product_.helm("upgrade", product_.chart_and_values()), HasSubstr("has been upgraded"));
    EXPECT_EQ(fate(true), "injected");
    EXPECT_EQ(fate(false), "bare");
    EXPECT_THAT(test().first, HasSubstr("Succeeded"));
    product_.helm("uninstall");
}

TEST_F(ChartLife, is_found_healthy_by_the_plugin_through_the_users_own_kubectl) {
    product_.start_operator();
    const auto where = "--operator-namespace=" + product_.name_space();
    const auto checked = plugin({"check", where}, 0);
    for (const auto* text :
         {"✓ Kubernetes v1.", "✓ the CRD is established", " leads\n", "✓ the webhook's CA is valid until",
          "✓ a pod that asks is injected in namespace default", "which is excluded\n"})
        EXPECT_THAT(checked, HasSubstr(text));
    EXPECT_THAT(plugin({"check", "--pre"}, 1), HasSubstr("✗ it is installed already, as release product"));

    const auto kubectl = [&](std::vector<std::string> arguments, const std::string& input) {
        arguments.push_back("--namespace=" + name_space_);
        return value_or_throw(control_plane().kubectl(arguments, input));
    };
    kubectl({"apply", "--filename=-"}, kConnectionAndPod);
    kubectl({"wait", "--for=condition=Ready", "vkc/sessions", "--timeout=20s"}, "");
    EXPECT_THAT(plugin({"doctor", "sessions", "-n", name_space_}, 0),
                AllOf(HasSubstr("✓ sessions: resolved to 10.0.0.1:6379, login Password, TLS Required"),
                      HasSubstr("· sessions: no pod with its sidecar runs")));
    EXPECT_THAT(plugin({"doctor", "orders", "-n", name_space_}, 1), HasSubstr("→ kubectl get vkc"));
    EXPECT_THAT(plugin({"explain", "shop", "-n", name_space_}, 0), HasSubstr("✓ the pod has its sidecar"));
    EXPECT_THAT(plugin({"explain", "nobody", "-n", name_space_}, 1), HasSubstr("NotFound"));
}

TEST_F(ChartLife, is_found_broken_by_the_plugin_while_its_operator_is_away) {
    const auto checked = plugin({"check", "--operator-namespace=" + product_.name_space()}, 1);
    EXPECT_THAT(checked, AllOf(HasSubstr("✗ no replica"), HasSubstr("docs/checks.md#operator-leads"),
                               HasSubstr("✗ the API server has no CA for the webhook"),
                               HasSubstr("✗ a pod that asks is refused in namespace default"),
                               HasSubstr("docs/checks.md#injects")));
}

TEST_F(ChartLife, is_found_behind_a_firewall_by_the_plugin) {
    product_.start_operator();  // it writes the CA; without one the API server does not even try
    product_.stop_operator();
    const auto silent = value_or_throw(SilentPort::open(product_.webhook_port()));
    const auto checked = plugin({"check", "--operator-namespace=" + product_.name_space()}, 1);
    EXPECT_THAT(checked, AllOf(HasSubstr("✗ a pod that asks is refused in namespace default"),
                               HasSubstr("(a firewall between control plane and operator)\n"
                                         "  → gcloud compute firewall-rules create cloud-valkey-webhook")));
}

/// The first block of sh below a heading of a page.
std::string block_below(const std::string& page, const std::string& heading) {
    const auto text = read_source(page);
    const auto begin = text.find('\n', text.find("```sh", text.find("\n" + heading + "\n"))) + 1;
    return text.substr(begin, text.find("\n```", begin) + 1 - begin);
}

TEST_F(ChartLife, breaking_the_glass_lets_pods_start_and_an_upgrade_mends_it) {
    EXPECT_THAT(fate(true), HasSubstr("inject.cloudvalkey.dev")) << "the operator cannot start";
    ProcessOptions options;
    options.argv = {"/bin/bash", "-euo", "pipefail", "-c", block_below("docs/runbook.md", "## Break glass")};
    options.env = {"PATH=" + control_plane().tools().string(),
                   "KUBECONFIG=" + control_plane().admin_kubeconfig().string()};
    const auto broken = value_or_throw(run_command(options, {}, std::chrono::seconds(60)));
    ASSERT_EQ(broken.status, 0) << broken.err;
    EXPECT_TRUE(eventually([&] { return fate(true) == "bare"; }));

    product_.helm("upgrade", product_.chart_and_values());
    product_.start_operator();
    EXPECT_TRUE(eventually([&] { return fate(true) == "injected"; }));
    EXPECT_EQ(fate(false), "bare");
}

TEST_F(ChartLife, a_test_of_an_installation_whose_operator_is_away_fails_and_says_why) {
    // Nobody listens: the guard and failurePolicy Fail refuse the pod.
    const auto refusal = fate(true);
    EXPECT_THAT(refusal, HasSubstr("inject.cloudvalkey.dev"));
    const auto [helm, printed] = test({"--wait=2s"});
    EXPECT_THAT(helm, HasSubstr("Failed"));
    EXPECT_THAT(printed, AllOf(HasSubstr("✗ a pod that asks is refused in namespace default"),
                               HasSubstr("→ an operator that is not ready")));
}

}  // namespace
}  // namespace cvp::test
