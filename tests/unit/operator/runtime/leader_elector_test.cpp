#include "operator/runtime/leader_elector.hpp"

#include <gtest/gtest.h>

#include "tests/support/async.hpp"
#include "tests/support/fake_kube_api.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using test::FakeKubeApi;
using test::run_until;

const ResourcePath kLease = leases("ns", "l");

/// One replica.
struct Replica {
    Replica(asio::io_context& io, KubeApi& api, const std::string& identity)
        : elector(io, api, "ns", "l", identity, {[this] { ++started; }, [this] { ++lost; }}), tasks(io) {
        tasks.spawn("elector", elector.run());
    }

    int started = 0;
    int lost = 0;
    LeaderElector elector;
    TaskGroup tasks;
};

class LeaderElectorTest : public testing::Test {
protected:
    ~LeaderElectorTest() override {
        for (auto* replica : {&first_, &second_}) {
            if (!*replica) continue;
            (*replica)->elector.stop();
            EXPECT_TRUE(run_until(io_, [&] { return (*replica)->tasks.running() == 0; })) << "stop() must end run()";
        }
    }

    void start_first() {
        first_.emplace(io_, api_, "first");
        ASSERT_TRUE(run_until(io_, [this] { return first_->started == 1; }));
    }
    std::string holder() { return api_.stored(kLease)["spec"].value("holderIdentity", std::string("none")); }

    asio::io_context io_;
    FakeKubeApi api_;
    std::optional<Replica> first_;
    std::optional<Replica> second_;
};

TEST_F(LeaderElectorTest, has_one_leader) {
    start_first();
    EXPECT_TRUE(first_->elector.is_leader());
    second_.emplace(io_, api_, "second");
    ASSERT_TRUE(run_until(io_, [this] { return api_.count("get") >= 3; }));
    EXPECT_EQ(second_->started, 0);
    EXPECT_EQ(holder(), "first");
    EXPECT_EQ(first_->lost, 0);
}

TEST_F(LeaderElectorTest, hands_over_to_another_when_it_stops) {
    start_first();
    second_.emplace(io_, api_, "second");
    first_->elector.stop();
    ASSERT_TRUE(run_until(io_, [this] { return first_->tasks.running() == 0; }));
    test::run(io_, first_->elector.release());
    EXPECT_EQ(holder(), "");
    EXPECT_TRUE(run_until(io_, [this] { return second_->started == 1; })) << "without waiting 15 s";
    EXPECT_EQ(first_->lost, 0) << "it gave it away";
}

TEST_F(LeaderElectorTest, gives_it_back_although_it_was_edited_meanwhile) {
    start_first();
    first_->elector.stop();
    ASSERT_TRUE(run_until(io_, [this] { return first_->tasks.running() == 0; }));
    auto edited = api_.stored(kLease);
    edited["metadata"]["labels"] = {{"a", "b"}};
    api_.put(kLease, edited);
    test::run(io_, first_->elector.release());
    EXPECT_EQ(holder(), "");
}

TEST_F(LeaderElectorTest, never_gives_back_what_another_holds) {
    start_first();
    first_->elector.stop();
    ASSERT_TRUE(run_until(io_, [this] { return first_->tasks.running() == 0; }));
    auto stolen = api_.stored(kLease);
    stolen["spec"]["holderIdentity"] = "thief";
    api_.put(kLease, stolen);
    test::run(io_, first_->elector.release());
    EXPECT_EQ(holder(), "thief");
}

TEST_F(LeaderElectorTest, says_once_that_its_lease_was_stolen_and_ends) {
    start_first();
    auto stolen = api_.stored(kLease);
    stolen["spec"]["holderIdentity"] = "thief";
    api_.put(kLease, stolen);
    EXPECT_TRUE(run_until(io_, [this] { return first_->tasks.running() == 0; }));
    EXPECT_EQ(first_->lost, 1);
    EXPECT_FALSE(first_->elector.is_leader());
    EXPECT_EQ(holder(), "thief") << "it is not taken back";
}

TEST_F(LeaderElectorTest, ends_within_10_s_while_the_server_is_away) {
    start_first();
    const auto begun = SteadyClock::now();
    for (int i = 0; i < 20; ++i) {
        api_.fail_next("get", ErrorCode::unavailable);
        api_.fail_next("replace", ErrorCode::unavailable);
    }
    EXPECT_TRUE(run_until(
        io_, [this] { return first_->lost == 1; }, 15s));
    EXPECT_GE(SteadyClock::now() - begun, 9s);
    EXPECT_LE(SteadyClock::now() - begun, 11s);
}

TEST(LeaderIdentity, differs_from_process_to_process) {
    EXPECT_NE(make_leader_identity(), make_leader_identity());
}

}  // namespace
}  // namespace cvp::op
