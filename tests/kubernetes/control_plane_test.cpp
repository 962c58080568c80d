// That the control plane of the tests is what they take it for.

#include "tests/support/control_plane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/environment.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;

std::string kubectl(const std::vector<std::string>& arguments, const std::string& input = {}) {
    auto result = control_plane().kubectl(arguments, input);
    EXPECT_TRUE(result) << result.error().context;
    return result ? *result : "";
}

std::string refusal(const std::vector<std::string>& arguments, const std::string& input = {}) {
    const auto result = control_plane().kubectl(arguments, input);
    EXPECT_FALSE(result) << *result;
    return result ? "" : result.error().context;
}

TEST(ControlPlane, is_the_pinned_version) {
    EXPECT_THAT(kubectl({"get", "--raw=/version"}), HasSubstr(R"("gitVersion": "v)" + ControlPlane::version() + "\""));
    EXPECT_THAT(kubectl({"version"}), HasSubstr("Client Version: v1.36.3"));
}

TEST(ControlPlane, makes_pods_of_deployments_and_jobs) {
    ASSERT_TRUE(control_plane().make_namespace("workloads"));
    kubectl({"create", "deployment", "web", "--image=web:1", "--replicas=2", "--namespace=workloads"});
    kubectl({"create", "job", "once", "--image=once:1", "--namespace=workloads"});
    kubectl({"wait", "--for=create", "pod", "--selector=app=web", "--namespace=workloads", "--timeout=20s"});
    kubectl({"wait", "--for=create", "pod", "--selector=job-name=once", "--namespace=workloads", "--timeout=20s"});
    EXPECT_THAT(kubectl({"get", "pods", "--namespace=workloads", "--output=yaml"}), HasSubstr("kube-api-access-"))
        << "pods get a ServiceAccount's token";
}

TEST(ControlPlane, collects_what_a_deleted_owner_leaves_behind_at_once) {
    ASSERT_TRUE(control_plane().make_namespace("garbage"));
    kubectl({"apply", "--filename=-"}, R"({"apiVersion": "cloudvalkey.dev/v1alpha1", "kind": "ValkeyConnection",
        "metadata": {"name": "owner", "namespace": "garbage"},
        "spec": {"instance": {"memorystoreValkey": {"name": "my-valkey"}}}})");
    const auto uid = kubectl({"get", "vkc", "owner", "--namespace=garbage", "--output=jsonpath={.metadata.uid}"});
    kubectl({"apply", "--filename=-"}, R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned",
        "namespace": "garbage", "ownerReferences": [{"apiVersion": "cloudvalkey.dev/v1alpha1",
        "kind": "ValkeyConnection", "name": "owner", "uid": ")" +
                                           uid + R"("}]}})");
    kubectl({"delete", "vkc", "owner", "--namespace=garbage"});
    kubectl({"wait", "--for=delete", "configmap/owned", "--namespace=garbage", "--timeout=10s"});
}

TEST(ControlPlane, a_user_has_no_right_until_rbac_gives_it) {
    const auto kubeconfig = control_plane().write_kubeconfig_of_user("jane", {"readers"});
    ASSERT_TRUE(kubeconfig);
    const auto as_jane = "--kubeconfig=" + kubeconfig->string();
    EXPECT_THAT(refusal({"get", "pods", as_jane}), HasSubstr(R"(User "jane" cannot list resource "pods")"));
    kubectl({"create", "rolebinding", "read", "--clusterrole=view", "--group=readers"});
    kubectl({"get", "pods", as_jane});
}

TEST(ControlPlane, a_service_account_logs_in_with_its_token) {
    ASSERT_TRUE(control_plane().make_namespace("accounts"));
    kubectl({"create", "serviceaccount", "robot", "--namespace=accounts"});
    const auto kubeconfig = control_plane().write_kubeconfig_of_service_account("accounts", "robot");
    ASSERT_TRUE(kubeconfig);
    EXPECT_THAT(kubectl({"auth", "whoami", "--kubeconfig=" + kubeconfig->string()}),
                HasSubstr("system:serviceaccount:accounts:robot"));
}

TEST(ControlPlane, owner_references_that_block_deletion_ask_for_a_right) {
    ASSERT_TRUE(control_plane().make_namespace("blocked"));
    const auto kubeconfig = control_plane().write_kubeconfig_of_user("joe");
    ASSERT_TRUE(kubeconfig);
    kubectl({"create", "role", "maps", "--verb=*", "--resource=configmaps", "--namespace=blocked"});
    kubectl({"create", "rolebinding", "maps", "--role=maps", "--user=joe", "--namespace=blocked"});
    EXPECT_THAT(refusal({"create", "--filename=-", "--kubeconfig=" + kubeconfig->string()}, R"({"apiVersion": "v1",
        "kind": "ConfigMap", "metadata": {"name": "owned", "namespace": "blocked", "ownerReferences": [{
        "apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b", "blockOwnerDeletion": true},
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a", "uid": "b", "blockOwnerDeletion": true}]}})"),
                HasSubstr("cannot set blockOwnerDeletion"));
}

}  // namespace
}  // namespace cvp::test
