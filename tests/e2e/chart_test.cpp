// What the chart installs beside the operator, with and without kinds that a cluster may lack.

#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

/// What the Prometheus operator's CRDs come to for an API server that only has to store objects.
std::string monitoring_kind(const std::string& plural, const std::string& kind) {
    return R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: )" +
           plural + R"(.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {plural: )" +
           plural + ", kind: " + kind + R"(}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
)";
}

class ChartOnNode : public NodeTest {
protected:
    static std::string upgrade(const std::string& values) {
        return helm({"upgrade", "cloud-valkey-proxy", source_path("charts/cloud-valkey-proxy").string(),
                     "--namespace=cloud-valkey", "--reuse-values", "--set=" + values, "--wait", "--timeout=3m"});
    }
};

TEST_F(ChartOnNode, passes_its_own_test) {
    EXPECT_THAT(helm({"test", "cloud-valkey-proxy", "--namespace=cloud-valkey"}), testing::HasSubstr("Succeeded"));
}

TEST_F(ChartOnNode, is_there_with_policies_and_budget_and_without_kinds_of_prometheus) {
    EXPECT_FALSE(find_object("cloud-valkey", "networkpolicy/cloud-valkey-operator").is_null());
    EXPECT_FALSE(find_object("cloud-valkey", "poddisruptionbudget/cloud-valkey-operator").is_null());
    EXPECT_NE(try_kubectl({"get", "podmonitors", "--namespace=cloud-valkey"}).status, 0);
}

TEST_F(ChartOnNode, has_monitors_where_there_are_kinds_of_prometheus) {
    apply_manifest("default",
                   monitoring_kind("podmonitors", "PodMonitor") + monitoring_kind("prometheusrules", "PrometheusRule"));
    for (const auto* plural : {"podmonitors", "prometheusrules"})
        await("default", std::string("crd/") + plural + ".monitoring.coreos.com", "condition=Established");
    upgrade("podMonitor.enabled=true,prometheusRule.enabled=true");
    EXPECT_THAT(kubectl({"get", "podmonitors,prometheusrules", "--namespace=cloud-valkey", "--output=name"}),
                testing::HasSubstr("podmonitor.monitoring.coreos.com/cloud-valkey-proxy"));
    upgrade("podMonitor.enabled=false,prometheusRule.enabled=false");
    kubectl({"delete", "crd", "podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"});
}

}  // namespace
}  // namespace cvp::test
