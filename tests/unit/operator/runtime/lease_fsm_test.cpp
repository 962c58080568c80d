#include "operator/runtime/lease_fsm.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using Read = LeaseFsm::Read;
using Write = LeaseFsm::Write;
using Wait = LeaseFsm::Wait;

KubeError failure(ErrorCode code) {
    KubeError error;
    error.error = {code, "scripted"};
    return error;
}

Json lease_of(const std::string& holder, const std::string& version, int transitions = 3) {
    return {{"metadata", {{"name", "l"}, {"resourceVersion", version}, {"labels", {{"kept", "yes"}}}}},
            {"spec",
             {{"holderIdentity", holder},
              {"leaseDurationSeconds", 15},
              {"acquireTime", "2026-01-01T00:00:00.000000Z"},
              {"renewTime", "2026-01-01T00:00:00.000000Z"},
              {"leaseTransitions", transitions}}}};
}

class LeaseFsmTest : public testing::Test {
protected:
    template <class T>
    T expect() {
        auto action = fsm.next(now, wall);
        EXPECT_TRUE(std::holds_alternative<T>(action)) << "got alternative " << action.index();
        return std::holds_alternative<T>(action) ? std::get<T>(action) : T{};
    }

    struct Written {
        Json lease;
        bool is_new = false;
    };
    Written expect_write() {
        const auto write = expect<Write>();
        return write.lease ? Written{*write.lease, write.is_new} : Written();
    }

    /// As far as leading, with a lease of version 1.
    void lead() {
        expect<Read>();
        fsm.on_read(std::nullopt, now);
        auto lease = expect_write().lease;
        lease["metadata"]["resourceVersion"] = "1";
        fsm.on_written(lease, now);
        ASSERT_TRUE(fsm.is_leader());
    }

    LeaseFsm fsm{"ns", "l", "me", 1};
    LeaseFsm::TimePoint now{1000s};
    LeaseFsm::WallTime wall{1'700'000'000s};
};

TEST_F(LeaseFsmTest, makes_a_lease_where_there_is_none) {
    expect<Read>();
    fsm.on_read(std::nullopt, now);
    const auto write = expect_write();
    EXPECT_TRUE(write.is_new);
    EXPECT_EQ(write.lease["metadata"], (Json{{"name", "l"}, {"namespace", "ns"}}));
    EXPECT_EQ(write.lease["spec"], (Json{{"holderIdentity", "me"},
                                         {"leaseDurationSeconds", 15},
                                         {"acquireTime", "2023-11-14T22:13:20.000000Z"},
                                         {"renewTime", "2023-11-14T22:13:20.000000Z"},
                                         {"leaseTransitions", 0}}));
    EXPECT_FALSE(fsm.is_leader()) << "not before it is stored";
    fsm.on_written(write.lease, now);
    EXPECT_TRUE(fsm.is_leader());
}

TEST_F(LeaseFsmTest, renews_every_2_s_by_one_put) {
    lead();
    EXPECT_EQ(expect<Wait>().delay, 2s);
    wall += 2s;
    const auto write = expect_write();
    EXPECT_FALSE(write.is_new);
    EXPECT_EQ(write.lease["metadata"]["resourceVersion"], "1") << "the precondition";
    EXPECT_EQ(write.lease["spec"]["renewTime"], "2023-11-14T22:13:22.000000Z");
    EXPECT_EQ(write.lease["spec"]["acquireTime"], "2023-11-14T22:13:20.000000Z");
    EXPECT_EQ(write.lease["spec"]["leaseTransitions"], 0);
    EXPECT_EQ(fsm.slow_paths(), 0u);
}

TEST_F(LeaseFsmTest, leads_for_10_s_from_when_its_last_renewal_was_sent) {
    EXPECT_EQ(fsm.expires_at(), std::nullopt);
    lead();
    EXPECT_EQ(fsm.expires_at(), now + 10s);
    expect<Wait>();
    now += 2s;
    auto lease = expect_write().lease;
    const auto sent = now;
    now += 3s;
    fsm.on_written(std::move(lease), now);
    EXPECT_EQ(fsm.expires_at(), sent + 10s) << "the others count from when they saw it";
}

TEST_F(LeaseFsmTest, believes_another_for_15_s_from_when_its_lease_last_changed_whatever_its_clock_says) {
    for (int i = 0; i < 3; ++i) {
        expect<Read>();
        fsm.on_read(lease_of("other", std::to_string(i)), now);
        EXPECT_GE(expect<Wait>().delay, 2s);
        now += 14s;
    }
    expect<Read>();
    fsm.on_read(lease_of("other", "2"), now);
    const auto delay = expect<Wait>().delay;
    EXPECT_GE(delay, 2s);
    EXPECT_LE(delay, 4400ms);
    now += 1s;
    expect<Read>();
    fsm.on_read(lease_of("other", "2"), now);
    const auto write = expect_write();
    EXPECT_FALSE(write.is_new);
    EXPECT_EQ(write.lease["spec"]["holderIdentity"], "me");
    EXPECT_EQ(write.lease["spec"]["leaseTransitions"], 4);
    EXPECT_EQ(write.lease["metadata"]["resourceVersion"], "2");
    EXPECT_EQ(write.lease["metadata"]["labels"]["kept"], "yes");
}

TEST_F(LeaseFsmTest, keeps_to_the_time_that_the_holder_says) {
    auto lease = lease_of("other", "1");
    lease["spec"]["leaseDurationSeconds"] = 60;
    expect<Read>();
    fsm.on_read(lease, now);
    expect<Wait>();
    now += 59s;
    expect<Read>();
    fsm.on_read(lease, now);
    expect<Wait>();
    now += 1s;
    expect<Read>();
    fsm.on_read(lease, now);
    expect_write();
}

TEST_F(LeaseFsmTest, takes_a_lease_that_was_given_back_at_once) {
    expect<Read>();
    fsm.on_read(lease_of("", "7"), now);
    EXPECT_EQ(expect_write().lease["spec"]["holderIdentity"], "me");
}

TEST_F(LeaseFsmTest, loses_a_race_and_waits) {
    expect<Read>();
    fsm.on_read(std::nullopt, now);
    expect_write();
    fsm.on_failure(failure(ErrorCode::conflict), now);
    EXPECT_FALSE(fsm.is_leader());
    EXPECT_GE(expect<Wait>().delay, 2s);
    expect<Read>();
}

TEST_F(LeaseFsmTest, is_no_leader_as_soon_as_it_sees_that_another_is) {
    lead();
    expect<Wait>();
    expect_write();
    fsm.on_failure(failure(ErrorCode::conflict), now);
    EXPECT_TRUE(fsm.is_leader()) << "somebody may have edited a label";
    EXPECT_EQ(fsm.slow_paths(), 1u);
    expect<Read>();
    fsm.on_read(lease_of("other", "2"), now);
    EXPECT_FALSE(fsm.is_leader());
    EXPECT_EQ(fsm.expires_at(), std::nullopt);
}

TEST_F(LeaseFsmTest, renews_after_somebody_else_edited_the_lease) {
    lead();
    expect<Wait>();
    expect_write();
    fsm.on_failure(failure(ErrorCode::conflict), now);
    expect<Read>();
    auto edited = lease_of("me", "5", 0);
    fsm.on_read(edited, now);
    EXPECT_TRUE(fsm.is_leader());
    EXPECT_EQ(expect_write().lease["metadata"]["resourceVersion"], "5");
}

TEST_F(LeaseFsmTest, makes_a_lease_that_was_deleted_again) {
    lead();
    expect<Wait>();
    expect_write();
    fsm.on_failure(failure(ErrorCode::not_found), now);
    expect<Read>();
    fsm.on_read(std::nullopt, now);
    EXPECT_TRUE(fsm.is_leader()) << "nobody else is";
    EXPECT_TRUE(expect_write().is_new);
}

TEST_F(LeaseFsmTest, tries_again_every_2_s_while_the_server_is_away_and_is_not_renewed_by_that) {
    lead();
    const auto expiry = fsm.expires_at();
    expect<Wait>();
    now += 2s;
    expect_write();
    fsm.on_failure(failure(ErrorCode::unavailable), now);
    EXPECT_EQ(expect<Wait>().delay, 2s);
    now += 2s;
    expect<Read>();
    fsm.on_failure(failure(ErrorCode::unavailable), now);
    EXPECT_EQ(expect<Wait>().delay, 2s);
    EXPECT_EQ(fsm.expires_at(), expiry);
    EXPECT_TRUE(fsm.is_leader());
}

TEST_F(LeaseFsmTest, gives_its_own_lease_back_and_no_other) {
    EXPECT_EQ(fsm.release(wall), std::nullopt);
    lead();
    const auto lease = fsm.release(wall + 5s);
    ASSERT_TRUE(lease);
    EXPECT_EQ((*lease)["spec"]["holderIdentity"], "");
    EXPECT_EQ((*lease)["spec"]["leaseDurationSeconds"], 1);
    EXPECT_EQ((*lease)["spec"]["renewTime"], "2023-11-14T22:13:25.000000Z");
    EXPECT_EQ((*lease)["metadata"]["resourceVersion"], "1");
    expect<Wait>();
    expect_write();
    fsm.on_failure(failure(ErrorCode::conflict), now);
    expect<Read>();
    fsm.on_read(lease_of("other", "2"), now);
    EXPECT_EQ(fsm.release(wall), std::nullopt);
}

TEST_F(LeaseFsmTest, does_not_care_about_wall_clocks) {
    lead();
    wall -= 240h;
    expect<Wait>();
    now += 2s;
    fsm.on_written(expect_write().lease, now);
    EXPECT_EQ(fsm.expires_at(), now + 10s);
    wall += 480h;
    EXPECT_EQ(expect<Wait>().delay, 2s);
}

}  // namespace
}  // namespace cvp::op
