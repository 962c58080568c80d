// The whole life of the webhook's certificates as a script: a Secret, a caBundle, a clock, and replicas of which one
// leads. Whatever happens, no replica may serve what the API server does not trust unless the script made it so.

#include <gmock/gmock.h>

#include "common/async/asio.hpp"
#include "common/crypto/certificate.hpp"
#include "operator/certs/plan.hpp"

namespace cvp::op {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kService = "dns:cloud-valkey-operator.valkey.svc";

struct Replica {
    std::optional<crypto::CertificateAndKey> served;
    bool is_trusted = false;
};

class Rotation : public testing::Test {
protected:
    Rotation() {
        finish(leader);
        look(follower);
        EXPECT_TRUE(leader.is_trusted && follower.is_trusted);
        first_ca = secret->ca.certificate_pem;
    }

    /// What every replica does: serve and judge.
    CertificatePlan look(Replica& replica) {
        CertificateState state;
        state.now = now;
        state.identities = {kService};
        state.stored = secret;
        state.live_bundle = bundle;
        state.served = replica.served;
        state.settle = kSettle;
        state.overlap = kOverlap;
        auto plan = plan_certificates(state);
        if (plan.serve) replica.served = secret->leaf;
        replica.is_trusted = plan.is_trusted;
        return plan;
    }

    /// What the leader does besides: write one thing. @return whether it wrote
    bool lead(Replica& replica) {
        auto plan = look(replica);
        if (plan.change) {
            EXPECT_FALSE(plan.bundle) << "one thing at a time";
            auto tls = plan.change->tls;
            if (plan.change->make_ca) tls.ca = make_webhook_ca(now).value(), ++cas_made;
            if (plan.change->make_leaf) tls.leaf = make_webhook_leaf(tls.ca, {kService}, now).value(), ++leaves_made;
            secret = tls;
        } else if (plan.bundle) {
            bundle = *plan.bundle;
        }
        return plan.change || plan.bundle;
    }

    /// Leads until there is nothing to write now; the follower looks after each write and must stay trusted.
    int finish(Replica& replica) {
        for (int writes = 0; writes < 20; ++writes) {
            if (!lead(replica)) return writes;
            if (!follower.served) continue;
            look(follower);
            EXPECT_TRUE(follower.is_trusted) << "after write " << writes;
        }
        ADD_FAILURE() << "it never rests";
        return 20;
    }

    /// The same after something that made the followers untrusted.
    void repair(Replica& replica) {
        int writes = 0;
        while (writes < 20 && lead(replica))
            ++writes;
        EXPECT_LT(writes, 20) << "it never rests";
    }

    void wait(SystemClock::duration duration, Replica& replica) {
        now += duration;
        finish(replica);
    }

    bool serves_leaf_of(const Replica& replica, const std::string& ca_pem) const {
        return crypto::check_signed_by(replica.served->certificate_pem, ca_pem).has_value();
    }
    std::size_t bundled() const {
        const auto all = crypto::parse_certificates(bundle);
        return all ? all->size() : 0;
    }
    /// Nothing is left of a rotation, and all is of one CA.
    void expect_rest() {
        EXPECT_EQ(secret->old_ca_pem, "");
        EXPECT_FALSE(secret->step_since);
        EXPECT_EQ(bundle, secret->ca.certificate_pem);
        EXPECT_TRUE(crypto::check_signed_by(secret->leaf.certificate_pem, secret->ca.certificate_pem));
    }

    static constexpr auto kSettle = seconds(60);
    static constexpr auto kOverlap = hours(1);

    SystemClock::time_point now = std::chrono::floor<seconds>(SystemClock::now());
    std::optional<WebhookTls> secret;
    std::string bundle;
    Replica leader, follower;
    int cas_made = 0;
    int leaves_made = 0;
    std::string first_ca;
};

TEST_F(Rotation, is_not_begun_by_itself) {
    wait(hours(24 * 30), leader);
    EXPECT_EQ(cas_made, 1);
    EXPECT_EQ(leaves_made, 1);
}

TEST_F(Rotation, goes_through_its_four_steps) {
    secret->rotation_asked = "now";
    finish(leader);
    const auto new_ca = secret->ca.certificate_pem;
    ASSERT_NE(new_ca, first_ca);
    EXPECT_EQ(bundle, new_ca + first_ca);
    EXPECT_TRUE(serves_leaf_of(leader, first_ca));

    wait(kSettle - seconds(1), leader);
    EXPECT_TRUE(serves_leaf_of(leader, first_ca)) << "not settled yet";
    EXPECT_EQ(look(leader).look_again, now + seconds(1));
    wait(seconds(1), leader);
    EXPECT_TRUE(serves_leaf_of(leader, new_ca));
    EXPECT_TRUE(serves_leaf_of(follower, new_ca));
    EXPECT_EQ(bundled(), 2U);

    wait(kOverlap - seconds(1), leader);
    EXPECT_EQ(bundled(), 2U) << "somebody may still need the old one";
    EXPECT_EQ(look(leader).look_again, now + seconds(1));
    wait(seconds(1), leader);
    expect_rest();
    EXPECT_EQ(cas_made, 2);
    EXPECT_EQ(leaves_made, 2);
    wait(hours(24), leader);
    EXPECT_EQ(cas_made, 2) << "the same wish is heard once";
}

TEST_F(Rotation, is_ended_by_the_next_leader_wherever_the_first_died) {
    for (int died_after = 0; died_after < 7; ++died_after) {
        secret->rotation_asked = "wish " + std::to_string(died_after);
        const auto old_ca = secret->ca.certificate_pem;
        const int cas_before = cas_made;
        for (int writes = 0; writes < died_after;) {
            if (lead(leader)) {
                ++writes;
            } else {
                const auto next = look(leader).look_again;
                if (next > now + hours(2)) break;
                now = next;
            }
            look(follower);
            ASSERT_TRUE(follower.is_trusted);
        }
        leader = Replica();  // the next one remembers nothing
        wait(seconds(15), leader);
        wait(kSettle, leader);
        wait(kOverlap, leader);
        expect_rest();
        EXPECT_EQ(cas_made, cas_before + 1) << "died after " << died_after;
        EXPECT_NE(secret->ca.certificate_pem, old_ca);
        EXPECT_TRUE(leader.is_trusted && follower.is_trusted);
    }
}

TEST_F(Rotation, settles_anew_when_the_bundle_was_wiped_midway) {
    secret->rotation_asked = "now";
    finish(leader);
    const auto both = bundle;
    now += kSettle - seconds(1);
    bundle.clear();
    look(follower);
    EXPECT_FALSE(follower.is_trusted);
    repair(leader);
    EXPECT_EQ(bundle, both);
    wait(kSettle - seconds(1), leader);
    EXPECT_TRUE(serves_leaf_of(leader, first_ca)) << "the time before the wipe does not count";
    wait(seconds(1), leader);
    EXPECT_FALSE(serves_leaf_of(leader, first_ca));
}

TEST_F(Rotation, settles_anew_when_the_wipe_is_found_by_the_next_leader) {
    secret->rotation_asked = "now";
    finish(leader);
    bundle = first_ca;  // restored from a backup, while nobody led
    now += hours(5);
    leader = Replica();
    finish(leader);
    EXPECT_EQ(bundled(), 2U);
    EXPECT_TRUE(serves_leaf_of(leader, first_ca));
    wait(kSettle, leader);
    EXPECT_FALSE(serves_leaf_of(leader, first_ca));
}

TEST_F(Rotation, keeps_the_union_when_the_bundle_is_wiped_during_the_overlap) {
    secret->rotation_asked = "now";
    finish(leader);
    wait(kSettle, leader);
    bundle.clear();
    repair(leader);
    EXPECT_EQ(bundled(), 2U);
    wait(kOverlap, leader);
    expect_rest();
}

TEST_F(Rotation, waits_its_full_time_after_the_clock_was_set_back) {
    secret->rotation_asked = "now";
    finish(leader);
    now -= minutes(10);
    finish(leader);
    wait(kSettle - seconds(1), leader);
    EXPECT_TRUE(serves_leaf_of(leader, first_ca));
    wait(seconds(1), leader);
    EXPECT_FALSE(serves_leaf_of(leader, first_ca));
    now -= minutes(10);
    finish(leader);
    wait(kOverlap - seconds(1), leader);
    EXPECT_EQ(bundled(), 2U);
    wait(seconds(1), leader);
    expect_rest();
}

TEST_F(Rotation, is_done_one_after_the_other) {
    secret->rotation_asked = "first";
    finish(leader);
    wait(kSettle, leader);
    secret->rotation_asked = "second";
    wait(seconds(1), leader);
    EXPECT_EQ(cas_made, 2) << "the first one is not over";
    wait(kOverlap, leader);
    EXPECT_EQ(cas_made, 3);
    EXPECT_EQ(bundled(), 2U);
    wait(kSettle, leader);
    wait(kOverlap, leader);
    expect_rest();
    EXPECT_EQ(secret->rotation_done, "second");
}

TEST_F(Rotation, follows_when_the_secret_was_deleted) {
    secret.reset();
    finish(leader);
    EXPECT_EQ(cas_made, 2);
    EXPECT_EQ(leaves_made, 1) << "the leaf is known to whoever serves it, and nobody is cut off";
    EXPECT_TRUE(serves_leaf_of(leader, first_ca));
    wait(kSettle, leader);
    EXPECT_FALSE(serves_leaf_of(leader, first_ca));
    wait(kOverlap, leader);
    expect_rest();
}

TEST_F(Rotation, keeps_followers_trusted_when_secret_and_leader_are_lost_at_once) {
    secret.reset();
    leader = Replica();
    finish(leader);
    EXPECT_TRUE(leader.is_trusted);
    EXPECT_EQ(bundled(), 2U);
    EXPECT_TRUE(serves_leaf_of(follower, secret->ca.certificate_pem)) << "now that the API server trusts it";
    wait(kOverlap + seconds(1), leader);
    expect_rest();
}

TEST_F(Rotation, follows_when_the_key_of_the_ca_is_broken) {
    secret->ca.key_pem = cvp::Secret("rubbish");
    finish(leader);
    EXPECT_EQ(cas_made, 2);
    EXPECT_TRUE(serves_leaf_of(leader, first_ca));
    wait(kSettle, leader);
    wait(kOverlap, leader);
    expect_rest();
}

TEST_F(Rotation, begins_again_when_the_new_ca_is_broken_before_it_signed) {
    secret->rotation_asked = "now";
    finish(leader);
    const auto unused = secret->ca.certificate_pem;
    secret->ca.key_pem = cvp::Secret();
    finish(leader);
    EXPECT_EQ(bundle, secret->ca.certificate_pem + first_ca);
    EXPECT_NE(secret->ca.certificate_pem, unused);
    wait(kSettle, leader);
    wait(kOverlap, leader);
    expect_rest();
}

TEST_F(Rotation, is_not_needed_where_only_the_stored_leaf_is_broken) {
    const auto leaf = secret->leaf.certificate_pem;
    secret->leaf.key_pem = cvp::Secret("rubbish");
    finish(leader);
    EXPECT_EQ(secret->leaf.certificate_pem, leaf) << "it is known to whoever serves it";
    EXPECT_TRUE(follower.is_trusted);
    EXPECT_EQ(cas_made + leaves_made, 2);
    expect_rest();
}

TEST_F(Rotation, takes_an_old_ca_that_was_cut_out_of_the_secret_from_the_bundle) {
    secret->rotation_asked = "now";
    finish(leader);
    secret->old_ca_pem = "rubbish";
    finish(leader);
    EXPECT_EQ(secret->old_ca_pem, first_ca);
    EXPECT_EQ(bundled(), 2U);
    wait(kSettle, leader);
    wait(kOverlap, leader);
    expect_rest();
    EXPECT_EQ(cas_made, 2);
}

TEST_F(Rotation, leads_over_to_a_secret_that_somebody_put_in_place) {
    WebhookTls theirs;
    theirs.ca = make_webhook_ca(now).value();
    theirs.leaf = make_webhook_leaf(theirs.ca, {kService}, now).value();
    secret = theirs;
    look(follower);
    EXPECT_TRUE(follower.is_trusted) << "it stays with what the API server trusts";
    EXPECT_TRUE(serves_leaf_of(follower, first_ca));
    finish(leader);
    EXPECT_TRUE(serves_leaf_of(follower, theirs.ca.certificate_pem));
    EXPECT_EQ(bundled(), 2U);
    wait(kOverlap + seconds(1), leader);
    expect_rest();
    EXPECT_EQ(secret->ca.certificate_pem, theirs.ca.certificate_pem);
}

TEST_F(Rotation, does_not_pile_up_cas_that_break_again_and_again) {
    for (int i = 0; i < 8; ++i) {
        secret->ca.key_pem = cvp::Secret("rubbish");
        finish(leader);
        wait(kSettle, leader);
    }
    EXPECT_LE(bundled(), 5U);
    wait(kOverlap, leader);
    expect_rest();
}

TEST_F(Rotation, renews_the_leaf_meanwhile_with_the_ca_that_it_has) {
    now += hours(24 * 61);
    secret->rotation_asked = "now";
    finish(leader);
    EXPECT_EQ(leaves_made, 1) << "the old CA's key is gone";
    wait(kSettle, leader);
    EXPECT_EQ(leaves_made, 2);
    wait(kOverlap, leader);
    expect_rest();
}

}  // namespace
}  // namespace cvp::op
