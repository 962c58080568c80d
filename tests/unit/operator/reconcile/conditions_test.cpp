#include "operator/reconcile/conditions.hpp"

#include <gtest/gtest.h>

#include "tests/support/source_tree.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using providers::Reason;
using providers::Refusal;

const Seconds kNow{std::chrono::seconds(1'795'176'000)};  // 2026-11-20T12:00:00Z

ValkeyConnection connection() {
    ValkeyConnection c;
    c.name = "sessions";
    c.generation = 4;
    return c;
}

ResolvedConnection document() {
    ResolvedConnection d;
    d.name = "sessions";
    d.endpoints = {{EndpointRole::primary, "10.0.0.3", 6379}, {EndpointRole::reader, "2001:db8::4", 6380}};
    d.instance = {"memorystoreValkey", "projects/p/locations/l/instances/i", 3, "2026-11-20T11:00:00Z"};
    d.auth.mode = AuthMode::google_iam;
    return d;
}

Knowledge knowledge(std::optional<Reason> reason = {}, bool has_document = true) {
    Knowledge known;
    known.generation = 3;
    known.handled_refresh = "now";
    known.last_refresh = kNow - 60s;
    if (has_document) known.good = document();
    if (reason) known.refusal = Refusal{*reason, "do this", {}};
    return known;
}

ConnectionStatus status_of(const Knowledge& known, ConfigMapState state = ConfigMapState::written) {
    return build_status(connection(), known, state, {}, kNow);
}

/// "Ready=True/Resolved Resolved=True/Resolved Reconciling=False/Resolved Stalled=False/Resolved".
std::string short_form(const ConnectionStatus& status) {
    std::string text;
    for (const auto& c : status.conditions) {
        text += (text.empty() ? "" : " ") + c.type + "=" + std::string(to_string(c.status)) + "/" + c.reason;
    }
    return text;
}

TEST(Conditions, unknown_first) {
    const auto pending = build_pending_status(connection(), {}, kNow);
    EXPECT_EQ(short_form(pending),
              "Ready=Unknown/Pending Resolved=Unknown/Pending Reconciling=True/Pending Stalled=False/Pending");
    EXPECT_EQ(pending.observed_generation, 4);
    EXPECT_EQ(pending.last_refresh_time, "");
}

TEST(Conditions, a_resolved_connection_is_ready) {
    const auto status = status_of(knowledge());
    EXPECT_EQ(short_form(status),
              "Ready=True/Resolved Resolved=True/Resolved Reconciling=False/Resolved Stalled=False/Resolved");
    EXPECT_EQ(status.observed_generation, 3) << "of the look-up, not of the object";
    for (const auto& condition : status.conditions)
        EXPECT_EQ(condition.observed_generation, 3);
    EXPECT_EQ(status.resolved, (ResolvedSummary{"projects/p/locations/l/instances/i",
                                                "10.0.0.3:6379",
                                                {"[2001:db8::4]:6380"},
                                                "Standalone",
                                                "Required",
                                                "GoogleIAM"}));
    EXPECT_EQ(status.config_map, "cloudvalkey-sessions");
    EXPECT_EQ(status.last_refresh_time, "2026-11-20T11:59:00Z");
    EXPECT_EQ(status.last_handled_refresh, "now");
    EXPECT_EQ(status.ca_expires_at, "");
}

TEST(Conditions, a_failed_look_up_leaves_the_last_good_configuration_ready) {
    for (const auto reason : {Reason::instance_not_found, Reason::permission_denied, Reason::api_disabled,
                              Reason::quota_exhausted, Reason::cloud_unavailable, Reason::instance_not_ready}) {
        const auto word = std::string(to_string(reason));
        const auto status = status_of(knowledge(reason));
        EXPECT_EQ(short_form(status), "Ready=True/" + word + " Resolved=False/" + word + " Reconciling=False/" + word +
                                          " Stalled=False/" + word);
        EXPECT_EQ(status.conditions[0].message,
                  "the ConfigMap cloudvalkey-sessions holds the last good configuration, of 2026-11-20T11:00:00Z; the "
                  "last look-up failed: do this");
        EXPECT_EQ(status.conditions[1].message, "do this");
        EXPECT_EQ(status.resolved.endpoint, "10.0.0.3:6379");
    }
}

TEST(Conditions, what_never_resolved_is_reconciling) {
    const auto status = status_of(knowledge(Reason::cloud_unavailable, false), ConfigMapState::none);
    EXPECT_EQ(short_form(status),
              "Ready=False/CloudUnavailable Resolved=False/CloudUnavailable Reconciling=True/CloudUnavailable "
              "Stalled=False/CloudUnavailable");
    EXPECT_EQ(status.conditions[2].message, "do this");
    EXPECT_EQ(status.config_map, "");
    EXPECT_EQ(status.resolved, ResolvedSummary{});
}

TEST(Conditions, what_only_an_edit_heals_is_stalled_and_not_ready) {
    for (const auto reason :
         {Reason::network_ambiguous, Reason::cluster_mode_not_supported, Reason::token_unprotected}) {
        const auto word = std::string(to_string(reason));
        const auto expected =
            "Ready=False/" + word + " Resolved=False/" + word + " Reconciling=False/" + word + " Stalled=True/" + word;
        EXPECT_EQ(short_form(status_of(knowledge(reason))), expected);
        EXPECT_EQ(short_form(status_of(knowledge(reason, false), ConfigMapState::none)), expected);
    }
}

TEST(Conditions, a_name_that_is_taken_stalls_and_one_that_is_given_up_waits) {
    EXPECT_EQ(short_form(status_of(knowledge(), ConfigMapState::taken)),
              "Ready=False/NameConflict Resolved=True/Resolved Reconciling=False/NameConflict "
              "Stalled=True/NameConflict");
    EXPECT_EQ(status_of(knowledge(), ConfigMapState::taken).config_map, "");
    EXPECT_EQ(short_form(status_of(knowledge(), ConfigMapState::waiting)),
              "Ready=False/Pending Resolved=True/Resolved Reconciling=True/Pending Stalled=False/Pending");
}

TEST(Conditions, the_same_knowledge_gives_the_same_status) {
    const auto first = status_of(knowledge(Reason::permission_denied));
    EXPECT_EQ(first.conditions[0].last_transition_time, "2026-11-20T12:00:00Z");
    EXPECT_EQ(
        build_status(connection(), knowledge(Reason::permission_denied), ConfigMapState::written, first, kNow + 1h),
        first);
    const auto healed = build_status(connection(), knowledge(), ConfigMapState::written, first, kNow + 1h);
    EXPECT_EQ(healed.conditions[0].last_transition_time, "2026-11-20T12:00:00Z") << "Ready was and is True";
    EXPECT_EQ(healed.conditions[1].last_transition_time, "2026-11-20T13:00:00Z");
}

TEST(Conditions, messages_keep_within_the_schemas_bound) {
    auto known = knowledge(Reason::network_ambiguous);
    known.refusal->message = std::string(3999, 'x') + "…" + std::string(3000, 'x');
    const auto status = status_of(known);
    EXPECT_LE(status.conditions[0].message.size(), 4096u);
    EXPECT_TRUE(status.conditions[0].message.ends_with("x…")) << "no half a character";
}

TEST(Conditions, a_spec_that_cannot_be_read_is_stalled_and_keeps_what_was) {
    auto before = status_of(knowledge());
    const auto status = build_invalid_status(connection(), "spec: spec.auth: must be a map", before, kNow);
    EXPECT_EQ(short_form(status),
              "Ready=False/InvalidSpec Resolved=False/InvalidSpec Reconciling=False/InvalidSpec "
              "Stalled=True/InvalidSpec");
    EXPECT_EQ(status.config_map, "cloudvalkey-sessions");
    EXPECT_EQ(status.observed_generation, 4);
}

TEST(Conditions, a_refusal_is_found_again_in_its_condition) {
    for (const auto reason :
         {Reason::instance_not_found, Reason::cluster_mode_not_supported, Reason::quota_exhausted}) {
        const auto status = status_of(knowledge(reason));
        EXPECT_EQ(recover_refusal(status.conditions[1]), (Refusal{reason, "do this", {}}));
    }
    EXPECT_EQ(recover_refusal(status_of(knowledge()).conditions[1]), std::nullopt);
}

TEST(Conditions, every_reason_is_documented_with_its_remedy) {
    const auto page = cvp::test::read_source("docs/conditions.md");
    std::vector<std::string> reasons{"Pending", "NameConflict", "InvalidSpec"};
    for (int i = 0; i <= static_cast<int>(Reason::token_unprotected); ++i)
        reasons.emplace_back(to_string(static_cast<Reason>(i)));
    for (const auto& reason : reasons)
        EXPECT_NE(page.find("| `" + reason + "` |"), std::string::npos) << reason;
}

}  // namespace
}  // namespace cvp::op
