// kubectl cloudvalkey check: one fault at a time in an installation that is well.
#include "operator/cli/check.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/crypto/base64.hpp"
#include "operator/cli/selftest.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/unit/operator/cli/fake_kubectl.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using test::FakeKubectl;
using testing::HasSubstr;
using Verdict = Finding::Verdict;

/// 2026-11-26T12:00:30Z
const auto kNow = std::chrono::system_clock::time_point(std::chrono::seconds(1795694430));

FakeKubectl healthy() {
    FakeKubectl kubectl;
    kubectl.say("version", R"({"serverVersion": {"gitVersion": "v1.36.3-gke.1000"}})");
    kubectl.say("auth can-i", "");
    kubectl.say("get crd", R"({"status": {"conditions": [{"type": "Established", "status": "True"}]}})");
    kubectl.say("get deployment", R"({"spec": {"replicas": 2}, "status": {"readyReplicas": 2}})");
    kubectl.say("get lease", R"({"spec": {"holderIdentity": "pod-1", "renewTime": "2026-11-26T12:00:20.000000Z"}})");
    const cvp::test::TestCa ca("webhook");
    kubectl.say("get mutatingwebhookconfiguration",
                json{{"webhooks", {{{"clientConfig", {{"caBundle", crypto::base64_encode(ca.pem())}}}}}}}.dump());
    kubectl.say("validatingadmissionpolicybinding", "{}");
    auto injected = selftest_pod();
    injected["spec"]["initContainers"] = {{{"name", "cloud-valkey-proxy"}}};
    kubectl.say("--namespace=default", injected.dump());
    kubectl.say("create --dry-run=server", selftest_pod().dump());
    kubectl.say("get valkeyconnections",
                R"({"items": [{"metadata": {"name": "a", "namespace": "shop"},
                               "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Resolved"}]}}]})");
    return kubectl;
}

std::vector<Check> check(FakeKubectl& kubectl) {
    return check_installed(kubectl, "cloud-valkey", "default", kNow);
}

/// The ids of what fails.
std::vector<std::string> failing(const std::vector<Check>& checks) {
    std::vector<std::string> ids;
    for (const auto& check : checks)
        if (check.finding.verdict == Verdict::fails) ids.push_back(check.id);
    return ids;
}

TEST(PluginCheck, finds_nothing_wrong_where_all_is_well) {
    auto kubectl = healthy();
    const auto checks = check(kubectl);
    EXPECT_THAT(failing(checks), testing::IsEmpty()) << to_string(checks);
    EXPECT_EQ(checks.size(), 11u);
    for (const auto& call : kubectl.calls) {
        const bool is_harmless = call.starts_with("get ") || call.starts_with("version") || call.starts_with("auth ") ||
                                 call.starts_with("create --dry-run=server ");
        EXPECT_TRUE(is_harmless) << call;
    }
}

TEST(PluginCheck, names_each_fault) {
    struct Case {
        const char* id;
        const char* part;
        const char* answer;  ///< nullptr: refused
    };
    for (const auto& [id, part, answer] : std::vector<Case>{
             {"kubernetes-version", "version", R"({"serverVersion": {"gitVersion": "v1.29.1"}})"},
             {"api-reachable", "version", nullptr},
             {"crd", "get crd", nullptr},
             {"crd", "get crd", R"({"status": {"conditions": [{"type": "Established", "status": "False"}]}})"},
             {"operator-ready", "get deployment", R"({"spec": {"replicas": 2}, "status": {"readyReplicas": 1}})"},
             {"operator-ready", "get deployment", R"({"spec": {"replicas": 2}})"},
             {"operator-leads", "get lease", nullptr},
             {"operator-leads", "get lease",
              R"({"spec": {"holderIdentity": "pod-1", "renewTime": "2026-11-26T11:50:00.000000Z"}})"},
             {"operator-leads", "get lease",
              R"({"spec": {"holderIdentity": "", "renewTime": "2026-11-26T12:00:20.000000Z"}})"},
             {"webhook", "get mutatingwebhookconfiguration", nullptr},
             {"webhook-ca", "get mutatingwebhookconfiguration", R"({"webhooks": [{"clientConfig": {}}]})"},
             {"guard", "validatingadmissionpolicybinding", nullptr},
             {"injects", "--namespace=default", nullptr},
             {"connections", "get valkeyconnections",
              R"({"items": [{"metadata": {"name": "b", "namespace": "shop"}}]})"},
         }) {
        auto kubectl = healthy();
        if (answer == nullptr) {
            kubectl.refuse(part, "Error from server (InternalError): failed calling webhook\n");
        } else {
            kubectl.say_first(part, answer);
        }
        const auto checks = check(kubectl);
        EXPECT_THAT(failing(checks), testing::ElementsAre(id)) << to_string(checks);
        EXPECT_THAT(to_string(checks), HasSubstr(std::string("    docs/checks.md#") + id + "\n"));
    }
}

TEST(PluginCheck, minds_a_ca_that_expires_soon) {
    auto kubectl = healthy();
    const auto checks = check_installed(kubectl, "cloud-valkey", "default", kNow + std::chrono::hours(24 * 365 * 50));
    EXPECT_THAT(failing(checks), testing::Contains("webhook-ca"));
}

TEST(PluginCheck, minds_an_injected_pod_where_there_should_be_none) {
    auto kubectl = healthy();
    auto injected = selftest_pod();
    injected["spec"]["initContainers"] = {{{"name", "cloud-valkey-proxy"}}};
    kubectl.say_first("--namespace=cloud-valkey --output", injected.dump());
    EXPECT_THAT(failing(check(kubectl)), testing::Contains("excluded-namespace"));
}

TEST(PluginCheck, names_the_connection_to_look_at) {
    auto kubectl = healthy();
    kubectl.say_first("get valkeyconnections", R"({"items": [{"metadata": {"name": "b", "namespace": "shop"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "PermissionDenied"}]}}]})");
    EXPECT_THAT(to_string(check(kubectl)),
                HasSubstr("✗ not ready: shop/b (PermissionDenied)\n  → kubectl cloudvalkey doctor b -n shop\n"));
}

TEST(PluginCheck, before_an_installation_looks_at_rights_and_leftovers) {
    FakeKubectl clean;
    clean.say("version", R"({"serverVersion": {"gitVersion": "v1.30.4"}})");
    clean.say("auth can-i", "");
    EXPECT_THAT(failing(check_before(clean)), testing::IsEmpty()) << to_string(check_before(clean));
    clean.refuse("auth can-i create clusterroles", "no");
    EXPECT_THAT(failing(check_before(clean)), testing::ElementsAre("may-install"));
}

TEST(PluginCheck, deletes_nothing_that_somebody_still_answers) {
    auto installed = healthy();
    const std::string service =
        R"({"webhooks": [{"clientConfig": {"service": {"namespace": "cloud-valkey", "name": "cloud-valkey-operator"}}}]})";
    installed.say_first("get mutatingwebhookconfiguration", service);
    installed.say("get service cloud-valkey-operator --namespace=cloud-valkey", "{}");
    EXPECT_THAT(to_string(check_before(installed)), HasSubstr("✗ it is installed already, and not by helm"));
    FakeKubectl left;
    left.say("version", R"({"serverVersion": {"gitVersion": "v1.30.4"}})");
    left.say("auth can-i", "");
    left.say("get mutatingwebhookconfiguration", service);
    EXPECT_THAT(to_string(check_before(left)), HasSubstr("→ kubectl delete mutatingwebhookconfiguration"));
    left.refuse("get mutatingwebhookconfiguration", "Error from server (Forbidden): no");
    EXPECT_THAT(to_string(check_before(left)), HasSubstr("✗ it could not be asked: Error from server (Forbidden): no"));
}

TEST(PluginCheck, has_a_section_for_each_id) {
    const auto page = cvp::test::read_source("docs/checks.md");
    for (const auto& id : check_ids())
        EXPECT_THAT(page, HasSubstr("\n## " + id + "\n"));
    const auto sections = std::count(page.begin(), page.end(), '#') / 2;
    EXPECT_EQ(static_cast<std::size_t>(sections), check_ids().size()) << "no section for what is no check";
}

TEST(PluginCheck, is_read_by_scripts) {
    auto kubectl = healthy();
    const auto checks = json::parse(to_json(check(kubectl)))["checks"];
    EXPECT_EQ(checks[0]["id"], "api-reachable");
    EXPECT_EQ(checks[0]["ok"], true);
    EXPECT_EQ(checks[0]["hint"], "docs/checks.md#api-reachable");
}

TEST(Kubectl, tells_what_is_not_there_from_what_cannot_be_asked) {
    FakeKubectl kubectl;
    EXPECT_EQ(kubectl.get({"get", "pod", "x"}).error().code, ErrorCode::not_found);
    kubectl.refuse("get", "Unable to connect to the server: dial tcp: timeout\n");
    const auto refused = kubectl.get({"get", "pod", "x"});
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_EQ(refused.error().context, "Unable to connect to the server: dial tcp: timeout");
    kubectl.say_first("get", "no json");
    EXPECT_EQ(kubectl.get({"get", "pod", "x"}).error().code, ErrorCode::protocol_error);
}

}  // namespace
}  // namespace cvp::op
