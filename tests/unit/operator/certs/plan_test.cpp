#include "operator/certs/plan.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/async/asio.hpp"
#include "common/crypto/base64.hpp"
#include "common/crypto/certificate.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using std::chrono::hours;

constexpr auto kDay = hours(24);
const std::string kService = "dns:cloud-valkey-operator.valkey.svc";

WebhookTls make_tls(SystemClock::time_point now, const std::vector<std::string>& identities = {kService}) {
    auto ca = make_webhook_ca(now).value();
    auto leaf = make_webhook_leaf(ca, identities, now).value();
    WebhookTls tls;
    tls.ca = std::move(ca);
    tls.leaf = std::move(leaf);
    return tls;
}

/// A state in which nothing is to be done, made at `made` and looked at at `now`.
CertificateState make_state(SystemClock::time_point made, SystemClock::time_point now) {
    CertificateState state;
    state.now = now;
    state.identities = {kService};
    state.stored = make_tls(made);
    state.live_bundle = state.stored->ca.certificate_pem;
    return state;
}

class PlanCertificates : public testing::Test {
protected:
    const SystemClock::time_point now = SystemClock::now();
};

TEST_F(PlanCertificates, is_content_when_all_is_well) {
    const auto plan = plan_certificates(make_state(now, now));
    EXPECT_TRUE(plan.serve);
    EXPECT_TRUE(plan.is_trusted);
    EXPECT_FALSE(plan.change || plan.bundle) << plan.why;
    EXPECT_GT(plan.look_again, now);
}

TEST_F(PlanCertificates, makes_everything_where_nothing_is) {
    CertificateState state;
    state.now = now;
    const auto plan = plan_certificates(state);
    ASSERT_TRUE(plan.change);
    EXPECT_TRUE(plan.change->make_ca && plan.change->make_leaf);
    EXPECT_FALSE(plan.serve || plan.bundle || plan.is_trusted);
}

TEST_F(PlanCertificates, repairs_a_bundle_that_is_empty_foreign_or_old) {
    for (const auto& bundle : {std::string(), make_tls(now).ca.certificate_pem, std::string("rubbish")}) {
        auto state = make_state(now, now);
        state.live_bundle = bundle;
        const auto plan = plan_certificates(state);
        EXPECT_EQ(plan.bundle, state.stored->ca.certificate_pem);
        EXPECT_TRUE(plan.serve);
        EXPECT_FALSE(plan.is_trusted);
        EXPECT_FALSE(plan.change) << plan.why;
    }
}

TEST_F(PlanCertificates, throws_foreign_certificates_out_of_the_bundle) {
    auto state = make_state(now, now);
    crypto::CaRequest request;
    request.common_name = "somebody else";
    request.validity = crypto::Validity::from_now(kDay);
    *state.live_bundle += make_tls(now).ca.certificate_pem + crypto::issue_ca(request).value().certificate_pem;
    const auto plan = plan_certificates(state);
    EXPECT_TRUE(plan.is_trusted);
    EXPECT_EQ(plan.bundle, state.stored->ca.certificate_pem);
    EXPECT_FALSE(plan.change) << plan.why;

    state.stored.reset();
    const auto anew = plan_certificates(state);
    ASSERT_TRUE(anew.change);
    EXPECT_EQ(crypto::parse_certificates(anew.change->tls.old_ca_pem).value().size(), 2U) << "only CAs of our name";
}

TEST_F(PlanCertificates, serves_without_a_webhook_configuration_but_is_not_trusted) {
    auto state = make_state(now, now);
    state.live_bundle.reset();
    const auto plan = plan_certificates(state);
    EXPECT_TRUE(plan.serve);
    EXPECT_FALSE(plan.is_trusted || plan.bundle || plan.change);
}

TEST_F(PlanCertificates, renews_the_leaf_when_a_third_of_its_life_is_left) {
    const auto early = plan_certificates(make_state(now - 59 * kDay, now));
    EXPECT_FALSE(early.change);
    EXPECT_LE(early.look_again, now + 2 * kDay);

    const auto due = plan_certificates(make_state(now - 61 * kDay, now));
    ASSERT_TRUE(due.change);
    EXPECT_TRUE(due.change->make_leaf);
    EXPECT_FALSE(due.change->make_ca);
    EXPECT_TRUE(due.serve);
    EXPECT_TRUE(due.is_trusted);
    EXPECT_FALSE(due.bundle);
    EXPECT_GT(due.look_again, now + hours(1)) << "a follower waits for the leader, it does not ask without end";
}

TEST_F(PlanCertificates, looks_again_at_the_renewal_if_that_is_near) {
    const auto made = now - 60 * kDay + hours(3);
    const auto plan = plan_certificates(make_state(made, now));
    EXPECT_FALSE(plan.change);
    EXPECT_LT(plan.look_again, now + hours(4));
}

TEST_F(PlanCertificates, does_not_serve_an_expired_leaf) {
    const auto plan = plan_certificates(make_state(now - 91 * kDay, now));
    ASSERT_TRUE(plan.change);
    EXPECT_TRUE(plan.change->make_leaf);
    EXPECT_FALSE(plan.change->make_ca);
    EXPECT_FALSE(plan.serve || plan.is_trusted);
}

TEST_F(PlanCertificates, begins_a_rotation_before_a_leaf_would_outlive_the_ca) {
    const auto state_of = [&](SystemClock::time_point made) {
        auto state = make_state(made, now);
        state.stored->leaf = make_webhook_leaf(state.stored->ca, {kService}, now).value();
        return state;
    };
    const auto state = state_of(now - 3570 * kDay);
    const auto plan = plan_certificates(state);
    ASSERT_TRUE(plan.change);
    EXPECT_TRUE(plan.change->make_ca);
    EXPECT_FALSE(plan.change->make_leaf || plan.bundle);
    EXPECT_EQ(plan.change->tls.old_ca_pem, state.stored->ca.certificate_pem);
    EXPECT_TRUE(plan.is_trusted);
    EXPECT_FALSE(plan_certificates(state_of(now - 3550 * kDay)).change);
}

TEST_F(PlanCertificates, renews_a_leaf_that_lacks_a_name) {
    auto state = make_state(now, now);
    state.identities.emplace_back("ip:127.0.0.1");
    const auto plan = plan_certificates(state);
    ASSERT_TRUE(plan.change);
    EXPECT_TRUE(plan.change->make_leaf);
    EXPECT_TRUE(plan.serve);
    EXPECT_FALSE(plan.change->make_ca);

    state.stored = make_tls(now, state.identities);
    state.live_bundle = state.stored->ca.certificate_pem;
    EXPECT_FALSE(plan_certificates(state).change);
}

TEST_F(PlanCertificates, never_serves_what_does_not_fit_together) {
    const auto other = make_tls(now);
    auto foreign_key = make_state(now, now);
    foreign_key.stored->leaf.key_pem = other.leaf.key_pem;
    auto foreign_leaf = make_state(now, now);
    foreign_leaf.stored->leaf = other.leaf;
    auto rubbish = make_state(now, now);
    rubbish.stored->leaf.certificate_pem = "rubbish";
    for (const auto* state : {&foreign_key, &foreign_leaf, &rubbish}) {
        const auto plan = plan_certificates(*state);
        EXPECT_FALSE(plan.serve || plan.is_trusted);
        ASSERT_TRUE(plan.change);
        EXPECT_TRUE(plan.change->make_leaf) << plan.why;
        EXPECT_FALSE(plan.change->make_ca);
    }

    auto foreign_ca_key = make_state(now, now);
    foreign_ca_key.stored->ca.key_pem = other.ca.key_pem;
    auto no_ca = make_state(now, now);
    no_ca.stored->ca = other.leaf;
    for (auto* state : {&foreign_ca_key, &no_ca}) {
        state->live_bundle = "";
        const auto plan = plan_certificates(*state);
        ASSERT_TRUE(plan.change);
        EXPECT_TRUE(plan.change->make_ca);
        EXPECT_FALSE(plan.bundle) << "a CA that is about to be replaced";
    }
}

TEST(GivenLeaf, is_judged_by_the_live_bundle_where_there_is_one) {
    const auto tls = make_tls(SystemClock::now());
    const auto& leaf = tls.leaf.certificate_pem;
    EXPECT_TRUE(is_given_leaf_trusted(leaf, tls.ca.certificate_pem));
    EXPECT_FALSE(is_given_leaf_trusted(leaf, make_tls(SystemClock::now()).ca.certificate_pem));
    EXPECT_TRUE(is_given_leaf_trusted(leaf, "")) << "the API server takes the system's roots";
    EXPECT_TRUE(is_given_leaf_trusted(leaf, std::nullopt));
}

json make_configuration(const json& client_config) {
    return {{"webhooks", json::array({{{"name", "other.example"}, {"clientConfig", {{"caBundle", "b3RoZXI="}}}},
                                      {{"name", "inject.cloudvalkey.dev"}, {"clientConfig", client_config}}})}};
}

TEST(WebhookConfiguration, says_under_which_names_we_are_called) {
    EXPECT_THAT(webhook_identities("valkey", nullptr), testing::ElementsAre(kService));
    const auto names_of = [](const char* client_config) {
        const auto configuration = make_configuration(json::parse(client_config));
        return webhook_identities("valkey", &configuration);
    };
    EXPECT_THAT(names_of(R"({"service":{"name":"cloud-valkey-operator"}})"), testing::ElementsAre(kService));
    EXPECT_THAT(names_of(R"({"url":"https://127.0.0.1:10250/mutate-pods"})"),
                testing::ElementsAre(kService, "ip:127.0.0.1"));
    EXPECT_THAT(names_of(R"({"url":"https://[::1]:10250/mutate-pods"})"), testing::ElementsAre(kService, "ip:::1"));
    EXPECT_THAT(names_of(R"({"url":"https://hooks.example/mutate-pods"})"),
                testing::ElementsAre(kService, "dns:hooks.example"));
    EXPECT_THAT(names_of(R"({"url":7})"), testing::ElementsAre(kService));
}

TEST(WebhookConfiguration, holds_our_bundle_beside_others) {
    EXPECT_EQ(live_ca_bundle(make_configuration({{"caBundle", crypto::base64_encode("PEM")}})), "PEM");
    EXPECT_EQ(live_ca_bundle(make_configuration(json::object())), "");
    EXPECT_EQ(live_ca_bundle(make_configuration({{"caBundle", "***"}})), "");
    EXPECT_EQ(live_ca_bundle(json::object()), "");
}

TEST(WebhookConfiguration, is_patched_in_the_bundle_alone) {
    EXPECT_EQ(build_ca_bundle_patch("PEM"), json::parse(R"({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "cloud-valkey-operator"},
        "webhooks": [{"name": "inject.cloudvalkey.dev", "clientConfig": {"caBundle": "UEVN"}}]})"));
}

}  // namespace
}  // namespace cvp::op
