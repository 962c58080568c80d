// How the operator's process begins to lead, loses the lease and ends.

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/whole_system.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const std::string kLeading = R"(leader_election_master_status{name="cloud-valkey-operator"})";

TEST(OperatorLife, answers_admissions_for_10_s_after_SIGTERM_while_another_may_lead) {
    WholeSystem system;
    ASSERT_EQ(system.admit(), "");
    EXPECT_NE(system.ask_webhook(), "close");
    ASSERT_TRUE(eventually([&] { return system.lease()["spec"].value("holderIdentity", "") != ""; }));

    const auto asked = Clock::now();
    system.operator_process().signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return system.readiness() == 503; }, 1s)) << "so that no new calls come";
    ASSERT_TRUE(eventually([&] { return system.lease()["spec"].value("holderIdentity", "x") == ""; }, 5s));
    EXPECT_LT(Clock::now() - asked, 3s) << "the lease is given back at once";
    EXPECT_EQ(system.ask_webhook(), "close") << "so that no connection is kept to us";
    while (Clock::now() - asked < 9s)
        ASSERT_EQ(system.admit(), "") << "some API server may not have heard yet";

    const auto code = system.operator_process().wait(15s);
    EXPECT_EQ(code, 0);
    EXPECT_GE(Clock::now() - asked, 10s);
}

TEST(OperatorLife, a_second_signal_ends_it_at_once) {
    WholeSystem system;
    system.operator_process().signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return system.readiness() == 503; }, 1s));
    system.operator_process().signal(SIGTERM);
    EXPECT_EQ(system.operator_process().wait(2s), 0);
}

TEST(OperatorLife, exits_75_when_its_lease_is_taken_and_leads_again_when_it_is_free) {
    WholeSystem system;
    ASSERT_TRUE(eventually([&] { return system.operator_metric(kLeading) == 1; }));
    system.steal_lease();
    EXPECT_EQ(system.operator_process().wait(25s), 75);
    EXPECT_EQ(system.lease()["spec"]["holderIdentity"], "thief") << "it did not fight";

    system.start_operator();
    EXPECT_EQ(system.operator_metric(kLeading), 0) << "the thief is believed for 15 s";
    system.create_connection();
    EXPECT_EQ(system.admit(), "") << "injection needs no leader";
    EXPECT_TRUE(eventually([&] { return system.operator_metric(kLeading) == 1; }, 25s));
    system.await_connection();
}

}  // namespace
}  // namespace cvp::test
