#include "operator/kube/resource_path.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

TEST(ResourcePath, names_objects_and_collections) {
    EXPECT_EQ(config_maps("shop", "cloudvalkey-a").target(), "/api/v1/namespaces/shop/configmaps/cloudvalkey-a");
    EXPECT_EQ(valkey_connections("shop", "a").target(),
              "/apis/cloudvalkey.dev/v1alpha1/namespaces/shop/valkeyconnections/a");
    EXPECT_EQ(valkey_connections("shop").target(), "/apis/cloudvalkey.dev/v1alpha1/namespaces/shop/valkeyconnections");
    EXPECT_EQ(valkey_connections("").target(), "/apis/cloudvalkey.dev/v1alpha1/valkeyconnections");
    EXPECT_EQ(mutating_webhook_configurations("x").target(),
              "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/x");
    EXPECT_EQ(validating_admission_policies("x").target(),
              "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/x");
    EXPECT_EQ(validating_admission_policy_bindings("x").target(),
              "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/x");
    EXPECT_EQ(mutating_admission_policies("x").target(),
              "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/x");
    EXPECT_EQ(mutating_admission_policy_bindings("x").target(),
              "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/x");
    EXPECT_EQ(namespaces("shop").target(), "/api/v1/namespaces/shop");
}

TEST(ResourcePath, names_a_subresource_and_goes_back_to_the_collection) {
    const auto status = valkey_connections("shop", "a").with_subresource("status");
    EXPECT_EQ(status.target(), "/apis/cloudvalkey.dev/v1alpha1/namespaces/shop/valkeyconnections/a/status");
    EXPECT_EQ(status.collection(), valkey_connections("shop"));
}

TEST(ResourcePath, cannot_be_led_out_of_its_place_by_a_name) {
    EXPECT_EQ(config_maps("a/b", "../x?y").target(), "/api/v1/namespaces/a%2Fb/configmaps/..%2Fx%3Fy");
}

TEST(ResourcePath, describes_itself_for_messages) {
    EXPECT_EQ(config_maps("shop", "x").describe(), "configmaps shop/x");
    EXPECT_EQ(valkey_connections("shop", "a").with_subresource("status").describe(),
              "valkeyconnections.cloudvalkey.dev/status shop/a");
    EXPECT_EQ(valkey_connections("").describe(), "valkeyconnections.cloudvalkey.dev");
    EXPECT_EQ(pods("shop").describe(), "pods in shop");
    EXPECT_EQ(namespaces("shop").describe(), "namespaces shop");
}

}  // namespace
}  // namespace cvp::op
