// Two replicas behind a balancer while things happen to them, under 50 admissions a second. An admission that fails is
// a pod that is not made; one that comes back without a sidecar would be worse.
//
// CVP_AVAILABILITY_ADMISSIONS: how many a round has at least (300). CVP_AVAILABILITY_RUNS: rounds (1).
// CVP_AVAILABILITY_OUTAGE: how long the API server is gone, in seconds (20).

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <gmock/gmock.h>

#include "common/crypto/certificate.hpp"
#include "tests/kubernetes/admission_load.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/operator_fleet.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Outcome = Admission::Outcome;

constexpr auto kLongest = 5s;  // the webhook's timeoutSeconds
constexpr auto kLimit = 60s;

std::size_t number_from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoul(text);
}

class Availability : public testing::Test {
protected:
    /// Does something to the fleet a second after the load began, in every round.
    template <class Happening>
    void rounds(OperatorFleet& fleet, Happening happening) {
        for (std::size_t run = 0; run < runs_; ++run) {
            AdmissionLoad load(fleet.name_space());
            load.await_sent(50);
            happening(run);
            const auto report = load.finish(std::max(admissions_, load.sent() + 50));
            std::cout << "round " << run + 1 << ": " << report.summary() << std::endl;
            check(report);
        }
    }

    static void expect_no_failure(const AdmissionReport& report) {
        EXPECT_TRUE(report.of(Outcome::failed).empty()) << report.summary();
        EXPECT_TRUE(report.of(Outcome::bare).empty()) << "a pod was admitted without its sidecar";
        EXPECT_LE(report.max_latency(), kLongest);
    }

    std::function<void(const AdmissionReport&)> check = expect_no_failure;
    const std::size_t admissions_ = number_from_environment("CVP_AVAILABILITY_ADMISSIONS", 300);
    const std::size_t runs_ = number_from_environment("CVP_AVAILABILITY_RUNS", 1);
    const std::chrono::seconds outage_{number_from_environment("CVP_AVAILABILITY_OUTAGE", 20)};
};

TEST_F(Availability, fails_no_admission_when_the_leader_is_told_to_end) {
    OperatorFleet fleet;
    rounds(fleet, [&](std::size_t) {
        const auto old = fleet.leader();
        fleet.signal(old, SIGTERM);
        EXPECT_EQ(fleet.await_exit(old), 0);
        EXPECT_NE(fleet.leader(), old);
        fleet.restart(old);
        fleet.await_ready(old);
    });
}

TEST_F(Availability, fails_no_admission_when_the_follower_is_told_to_end) {
    OperatorFleet fleet;
    rounds(fleet, [&](std::size_t) {
        const auto leader = fleet.leader();
        const auto old = fleet.follower();
        fleet.signal(old, SIGTERM);
        EXPECT_EQ(fleet.await_exit(old), 0);
        EXPECT_EQ(fleet.leader(), leader);
        fleet.restart(old);
        fleet.await_ready(old);
    });
}

TEST_F(Availability, fails_no_admission_during_a_rolling_upgrade) {
    OperatorFleet fleet;
    rounds(fleet, [&](std::size_t run) {
        for (std::size_t old = 2 * run; old < 2 * run + 2; ++old) {  // a new one, then an old one less, as a Deployment
            fleet.await_ready(fleet.add());
            fleet.signal(old, SIGTERM);
            EXPECT_EQ(fleet.await_exit(old), 0);
        }
        EXPECT_GE(fleet.leader(), 2 * run + 2);
    });
}

TEST_F(Availability, fails_no_admission_when_the_leader_loses_its_lease) {
    OperatorFleet fleet;
    rounds(fleet, [&](std::size_t) {
        const auto old = fleet.leader();
        fleet.steal_lease();
        EXPECT_EQ(fleet.await_exit(old), 75);
        fleet.restart(old);
        fleet.await_ready(old);
        (void)fleet.leader();
    });
}

TEST_F(Availability, fails_no_admission_while_the_ca_is_replaced) {
    OperatorFleet fleet({"--ca-settle=2s", "--ca-overlap=10s"});
    rounds(fleet, [&](std::size_t run) {
        const auto old = fleet.bundle();
        fleet.rotate_ca("wish-" + std::to_string(run));
        const auto certificates = [&] { return crypto::parse_certificates(fleet.bundle()).value().size(); };
        ASSERT_TRUE(eventually([&] { return certificates() == 2; }, kLimit));
        const auto began = std::chrono::steady_clock::now();
        ASSERT_TRUE(eventually([&] { return certificates() == 1; }, kLimit));
        EXPECT_GE(std::chrono::steady_clock::now() - began, 11s) << "settling and overlap are kept";
        EXPECT_EQ(fleet.bundle().find(old), std::string::npos) << "the new one";
        EXPECT_EQ(fleet.balancer().ready(), 2U);
    });
}

TEST_F(Availability, fails_only_what_a_killed_replica_held) {
    OperatorFleet fleet;
    std::chrono::steady_clock::time_point killed_at;
    std::chrono::steady_clock::time_point dropped_at;
    check = [&](const AdmissionReport& report) {
        EXPECT_TRUE(report.of(Outcome::bare).empty());
        EXPECT_LE(report.max_latency(), kLongest);
        EXPECT_LE(dropped_at - killed_at, 1s);
        const auto failed = report.of(Outcome::failed);
        for (const auto& admission : failed) {
            EXPECT_GE(admission.sent_at + admission.latency, killed_at) << admission.fault;
            EXPECT_LE(admission.sent_at, dropped_at) << admission.fault;
        }
        std::cout << failed.size() << " failed until the balancer dropped it after "
                  << std::chrono::duration_cast<std::chrono::milliseconds>(dropped_at - killed_at).count() << " ms"
                  << std::endl;
    };
    rounds(fleet, [&](std::size_t run) {
        const auto victim = run % 2 == 0 ? fleet.leader() : fleet.follower();
        killed_at = std::chrono::steady_clock::now();
        fleet.signal(victim, SIGKILL);
        EXPECT_EQ(fleet.await_exit(victim), 128 + SIGKILL);
        ASSERT_TRUE(eventually([&] { return !fleet.balancer().is_ready(victim); }, 5s));
        dropped_at = fleet.balancer().turned_at(victim);
        fleet.restart(victim);
        fleet.await_ready(victim);
        (void)fleet.leader();
    });
}

TEST_F(Availability, loses_and_doubles_nothing_when_the_api_server_restarts) {
    OperatorFleet fleet;
    fleet.create_connection("settled");
    fleet.await_connection("settled");
    const auto version = fleet.config_map("settled")["metadata"]["resourceVersion"];
    const auto calls = fleet.cloud_calls();

    ASSERT_TRUE(control_plane().restart_api_server());
    fleet.create_connection("later");
    fleet.await_connection("later");
    EXPECT_EQ(fleet.config_map("settled")["metadata"]["resourceVersion"], version);
    EXPECT_EQ(fleet.cloud_calls(), calls + 2) << "two calls for the new one, none for the other";
    fleet.await_ready(0);
    fleet.await_ready(1);
    AdmissionLoad load(fleet.name_space());
    expect_no_failure(load.finish(admissions_));
}

TEST_F(Availability, comes_back_by_itself_after_a_long_outage_of_the_api_server) {
    OperatorFleet fleet;
    fleet.create_connection("settled");
    fleet.await_connection("settled");
    const auto version = fleet.config_map("settled")["metadata"]["resourceVersion"];
    const auto leader = fleet.leader();
    const auto calls = fleet.cloud_calls();

    fleet.create_connection("just-before");
    control_plane().stop_api_server();
    const auto back_at = std::chrono::steady_clock::now() + outage_;
    EXPECT_EQ(fleet.await_exit(leader), 75) << "its lease ran out";
    fleet.restart(leader);
    std::this_thread::sleep_until(back_at);
    ASSERT_TRUE(control_plane().restart_api_server());
    const auto began = std::chrono::steady_clock::now();

    fleet.await_connection("just-before");
    fleet.create_connection("after");
    fleet.await_connection("after");
    std::cout << "reconciled again "
              << std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count()
              << " ms after the API server was back" << std::endl;
    EXPECT_EQ(fleet.config_map("settled")["metadata"]["resourceVersion"], version);
    const auto made = fleet.cloud_calls() - calls;
    EXPECT_GE(made, 4U);
    EXPECT_LE(made, 6U) << "the one just before may have been resolved twice: its result could not be written";
    fleet.await_ready(0);
    fleet.await_ready(1);
    (void)fleet.leader();
    AdmissionLoad load(fleet.name_space());
    const auto report = load.finish(admissions_);
    std::cout << report.summary() << std::endl;
    expect_no_failure(report);
}

}  // namespace
}  // namespace cvp::test
