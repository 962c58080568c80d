// Namespaces with rules: Pod Security restricted, quotas, limits; what the sidecar has and has not.

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/read_file.hpp"

namespace cvp::test {
namespace {

constexpr auto kQuotaAndLimits = R"(
apiVersion: v1
kind: ResourceQuota
metadata: {name: team}
spec: {hard: {pods: "10", requests.cpu: "2", requests.memory: 1Gi, limits.cpu: "4", limits.memory: 2Gi}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: team}
spec:
  limits:
    - {type: Container, default: {cpu: 500m, memory: 128Mi}, defaultRequest: {cpu: 50m, memory: 32Mi}}
)";

class Policies : public NodeTest {
protected:
    Policies() : NodeTest("{pod-security.kubernetes.io/enforce: restricted}") {}
};

TEST_F(Policies, a_restricted_namespace_with_quota_and_limits_admits_and_runs_it) {
    apply_manifest(name_space(), kQuotaAndLimits);
    connect();
    auto app = start_application();
    EXPECT_THAT(app.faults(), testing::IsEmpty());
    const auto used = find_object(name_space(), "resourcequota/team").at("status").at("used");
    EXPECT_EQ(used.at("pods"), "1");
}

TEST_F(Policies, the_sidecar_has_a_read_only_root_no_capability_and_not_the_pods_api_token) {
    connect();
    auto app = start_application();
    const auto pod = app.pod();
    const auto sidecar = process_of(pod, "/cloud-valkey-proxy");
    ASSERT_GT(sidecar, 0);
    const auto proc = std::filesystem::path("/proc") / std::to_string(sidecar);
    EXPECT_THAT(read_file(proc / "status"), testing::HasSubstr("CapEff:\t0000000000000000"));
    EXPECT_THAT(read_file(proc / "status"), testing::HasSubstr("CapBnd:\t0000000000000000"));
    EXPECT_THAT(read_file(proc / "status"), testing::HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(read_file(proc / "status"), testing::HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(read_file(proc / "status"), testing::HasSubstr("Uid:\t65532\t65532\t65532\t65532"));
    EXPECT_THAT(read_file(proc / "mountinfo"), testing::ContainsRegex(" / / ro[, ]"));
    const std::string secrets = "/var/run/secrets/kubernetes.io/serviceaccount";
    EXPECT_TRUE(std::filesystem::is_empty(proc / ("root" + secrets)));
    app.run({"test", "-s", secrets + "/token"});  // the application keeps its own
}

}  // namespace
}  // namespace cvp::test
