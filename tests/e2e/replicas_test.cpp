// Two operators on the node: the one that leads goes, and nobody notices.

#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/kubernetes/admission_load.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class Replicas : public NodeTest {
protected:
    /// The pod that holds the lease.
    static std::string leader() {
        const auto lease = find_object("cloud-valkey", "lease/cloud-valkey-operator");
        return lease.is_null() ? "" : lease.at("spec").value("holderIdentity", "");
    }
};

TEST_F(Replicas, the_leaders_pod_is_deleted_and_applications_do_not_notice) {
    connect();
    auto app = start_application();
    AdmissionLoad load(name_space(), 20);
    load.await_sent(20);
    const auto before = leader();
    const auto pods = kubectl({"get", "pods", "--namespace=cloud-valkey", "--output=name"});
    std::string pod;  // the identity begins with the pod's name
    std::istringstream names(pods);
    for (std::string name; std::getline(names, name);) {
        if (before.starts_with(name.substr(name.find('/') + 1))) pod = name;
    }
    ASSERT_NE(pod, "") << before << " is none of\n" << pods;
    kubectl({"delete", pod, "--namespace=cloud-valkey"});
    EXPECT_TRUE(eventually([&] { return leader() != before && !leader().empty(); }, 60s));
    await_rollout("cloud-valkey", "deployment/cloud-valkey-operator");
    const auto admissions = load.finish();
    EXPECT_EQ(admissions.of(Admission::Outcome::failed).size(), 0u) << admissions.summary();
    EXPECT_EQ(admissions.of(Admission::Outcome::bare).size(), 0u) << admissions.summary();
    report("the leader's pod deleted: " + admissions.summary());

    // The new leader works: what is edited by hand is put right.
    kubectl({"delete", "configmap", "cloudvalkey-sessions", "--namespace", name_space()});
    EXPECT_TRUE(eventually([&] { return !find_object(name_space(), "configmap/cloudvalkey-sessions").is_null(); }));
    app.await_progress(20);
    EXPECT_THAT(app.faults(), testing::IsEmpty());
    EXPECT_EQ(app.restarts_of_sidecar(), 0);
}

}  // namespace
}  // namespace cvp::test
