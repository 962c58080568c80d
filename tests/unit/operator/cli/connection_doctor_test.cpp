// kubectl cloudvalkey doctor: the operator's conditions first, then what a pod sees.
#include "operator/cli/connection_doctor.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/cli/fake_kubectl.hpp"

namespace cvp::op {
namespace {

using test::FakeKubectl;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kReady =
    R"({"status": {"resolved": {"endpoint": "10.0.0.3:6379", "auth": "GoogleIAM", "tls": "Required"},
    "conditions": [{"type": "Ready", "status": "True", "reason": "Resolved", "message": "m"},
                   {"type": "Resolved", "status": "True", "reason": "Resolved", "message": "m"}]}})";
constexpr auto kPods = R"({"items": [
    {"metadata": {"name": "other", "annotations": {"cloudvalkey.dev/connections": "orders"}}},
    {"metadata": {"name": "waiting", "annotations": {"cloudvalkey.dev/connections": "sessions"}},
     "spec": {"initContainers": [{"name": "cloud-valkey-proxy"}]}},
    {"metadata": {"name": "shop-1", "annotations": {"cloudvalkey.dev/connections": "orders, sessions:6390"}},
     "spec": {"initContainers": [{"name": "cloud-valkey-proxy",
                                  "args": ["--connection=orders:6379", "--connection=sessions:6390"]}]},
     "status": {"initContainerStatuses": [{"name": "cloud-valkey-proxy", "state": {"running": {}}}]}}]})";

std::string examine(FakeKubectl& kubectl) {
    return to_string(examine_connection(kubectl, "shop", "sessions"));
}

TEST(PluginDoctor, repeats_the_operators_reason_first) {
    FakeKubectl kubectl;
    kubectl.say("get valkeyconnection", R"({"status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": "PermissionDenied", "message": "grant roles/memorystore.viewer"},
        {"type": "Resolved", "status": "False", "reason": "PermissionDenied",
         "message": "grant roles/memorystore.viewer"}]}})");
    EXPECT_THAT(
        examine(kubectl),
        StartsWith("✗ sessions: PermissionDenied: grant roles/memorystore.viewer\n  → kubectl edit vkc sessions"));
    EXPECT_EQ(kubectl.calls.size(), 1u) << "no pod could know more";
}

TEST(PluginDoctor, prints_the_command_that_mends_what_the_operator_found) {
    const std::string again = "kubectl annotate vkc sessions -n shop --overwrite cloudvalkey.dev/refresh=$(date +%s)\n";
    const std::string instance = "projects/p/locations/l/instances/i";
    for (const auto& [reason, message, remedy] : std::vector<std::array<std::string, 3>>{
             {"PermissionDenied", "reading the instance " + instance + " is not allowed",
              "gcloud projects add-iam-policy-binding p --role roles/memorystore.viewer --member "
              "serviceAccount:OPERATOR_GSA --condition None; " +
                  again},
             {"ApiDisabled", "the API is not enabled: gcloud services enable x --project p",
              "gcloud services enable x --project p; " + again},
             {"InstanceNotFound", "the instance " + instance + " was not found",
              "gcloud memorystore instances list --project p --location l; kubectl edit vkc sessions -n shop\n"},
             {"InstanceNotReady", "the instance " + instance + " is being created",
              "gcloud memorystore instances describe i --project p --location l; " + again},
             {"InvalidSpec", "this operator cannot read it", "kubectl edit vkc sessions -n shop\n"},
         }) {
        FakeKubectl kubectl;
        kubectl.say("get valkeyconnection",
                    R"({"status": {"conditions": [{"type": "Ready", "status": "False", "reason": ")" + reason +
                        R"(", "message": ")" + message + R"("}]}})");
        EXPECT_EQ(examine(kubectl), "✗ sessions: " + reason + ": " + message + "\n  → " + remedy);
    }
}

TEST(PluginDoctor, says_that_nobody_looked_at_it) {
    FakeKubectl kubectl;
    kubectl.say("get valkeyconnection", "{}");
    EXPECT_THAT(examine(kubectl), StartsWith("✗ sessions: Pending: no operator has looked at it yet\n"
                                             "  → kubectl cloudvalkey check\n"));
}

TEST(PluginDoctor, says_that_it_is_not_there) {
    FakeKubectl kubectl;
    EXPECT_THAT(examine(kubectl), HasSubstr("→ kubectl get vkc --all-namespaces"));
}

TEST(PluginDoctor, asks_a_pod_that_runs_with_the_flags_of_its_sidecar) {
    FakeKubectl kubectl;
    kubectl.say("get valkeyconnection", kReady);
    kubectl.say("get pods", kPods);
    kubectl.answers.push_back({"exec",
                               {1, R"({"connections": [
        {"name": "sessions", "id": "login", "ok": false, "text": "the server refuses the login",
         "remedy": "kubectl create secret generic x -n NAMESPACE"},
        {"name": "orders", "id": "name", "ok": false, "text": "of no interest here", "remedy": "x"}]})",
                                ""}});
    const auto text = examine(kubectl);
    EXPECT_THAT(text, StartsWith("✗ sessions: login: the server refuses the login (seen from pod shop-1)\n"
                                 "  → kubectl create secret generic x -n shop\n"));
    EXPECT_THAT(text, HasSubstr("✓ sessions: resolved to 10.0.0.3:6379, login GoogleIAM, TLS Required\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("orders: ")));
    EXPECT_EQ(kubectl.calls.back(),
              "exec --namespace=shop shop-1 --container=cloud-valkey-proxy -- /cloud-valkey-proxy doctor "
              "--output=json --connection=orders:6379 --connection=sessions:6390");
}

TEST(PluginDoctor, finds_no_fault_where_no_pod_can_be_asked) {
    FakeKubectl kubectl;
    kubectl.say("get valkeyconnection", kReady);
    auto findings = examine_connection(kubectl, "shop", "sessions");
    EXPECT_FALSE(any_fails(findings));
    EXPECT_THAT(to_string(findings), HasSubstr("· sessions: no pod with its sidecar runs"));
    kubectl.say("get pods", kPods);
    kubectl.refuse("exec", "error: unable to upgrade connection");
    findings = examine_connection(kubectl, "shop", "sessions");
    EXPECT_FALSE(any_fails(findings));
    EXPECT_THAT(to_string(findings), HasSubstr("pod shop-1 could not be asked: error: unable to upgrade connection"));
}

}  // namespace
}  // namespace cvp::op
