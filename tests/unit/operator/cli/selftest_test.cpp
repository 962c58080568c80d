// helm test: what a dry run's answer says of an installation.
#include "operator/cli/selftest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/webhook/injection.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Verdict = Finding::Verdict;

json injected() {
    auto pod = selftest_pod();
    pod["spec"]["initContainers"] = {{{"name", "cloud-valkey-proxy"}}};
    return pod;
}

KubeResult<json> refused(std::string why = "failed calling webhook") {
    KubeError error;
    error.error.context = std::move(why);
    return tl::unexpected(error);
}

TEST(Selftest, wants_a_sidecar_where_pods_are_injected) {
    EXPECT_EQ(judge_admission(injected(), "shop", false).verdict, Verdict::holds);
    const auto bare = judge_admission(selftest_pod(), "shop", false);
    EXPECT_EQ(bare.verdict, Verdict::fails);
    EXPECT_EQ(bare.text, "a pod that asks arrives without a sidecar in namespace shop");
    EXPECT_THAT(bare.remedy, HasSubstr("watchNamespaces"));
    const auto failed = judge_admission(refused(), "shop", false);
    EXPECT_EQ(failed.verdict, Verdict::fails);
    EXPECT_THAT(failed.text, HasSubstr("failed calling webhook"));
    EXPECT_THAT(failed.remedy, HasSubstr("kubectl get pods"));
}

TEST(Selftest, takes_a_webhook_that_does_not_answer_for_one_behind_a_firewall) {
    for (const auto* why : {"context deadline exceeded", "dial tcp 10.0.0.1:10250: i/o timeout", "no route to host"}) {
        const auto failed = judge_admission(refused(std::string("failed calling webhook: ") + why), "shop", false);
        EXPECT_THAT(failed.text, HasSubstr("a firewall between control plane and operator")) << why;
        EXPECT_THAT(failed.remedy, HasSubstr("gcloud compute firewall-rules create")) << why;
    }
}

TEST(Selftest, wants_none_where_they_are_not) {
    EXPECT_EQ(judge_admission(selftest_pod(), "kube-system", true).verdict, Verdict::holds);
    EXPECT_EQ(judge_admission(injected(), "kube-system", true).verdict, Verdict::fails);
    EXPECT_EQ(judge_admission(refused(), "kube-system", true).verdict, Verdict::fails);
}

TEST(Selftest, sends_a_pod_that_the_webhook_injects) {
    EXPECT_TRUE(std::holds_alternative<Inject>(decide(selftest_pod())));
}

}  // namespace
}  // namespace cvp::op
