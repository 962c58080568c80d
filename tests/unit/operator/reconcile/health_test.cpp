// What Argo CD (by the Lua of examples/) and kstatus make of every status that the operator can write.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/reconcile/conditions.hpp"
#include "tests/support/process.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using providers::Reason;
using testing::HasSubstr;

const Seconds kNow{1'795'176'000s};
constexpr std::int64_t kGeneration = 2;

/// JSON as a Lua expression.
std::string to_lua(const json& value) {
    if (!value.is_structured()) return value.dump();
    std::string text = "{";
    for (const auto& [key, member] : value.items())
        text += (value.is_object() ? "[" + json(key).dump() + "]=" : "") + to_lua(member) + ",";
    return text + "}";
}

/// "Healthy the message", as Argo CD's script says it.
std::string argo_cd(const json& object) {
    test::ProcessOptions options;
    options.argv = {"lua5.4", "-"};
    const auto script = "obj = " + to_lua(object) + "\nlocal function judge()\n" +
                        test::read_source("examples/argo-cd/health.lua") +
                        "end\nlocal health = judge()\nprint(health.status .. ' ' .. health.message)\n";
    const auto result = test::run_command(options, script);
    if (!result) return to_string(result.error());
    return result->status == 0 ? result->out : result->err;
}

/// sigs.k8s.io/cli-utils pkg/kstatus, its generic rules.
std::string kstatus(const json& object) {
    const auto status = object.value("status", json::object());
    if (status.value("observedGeneration", kGeneration) != kGeneration) return "InProgress";
    const auto is_true = [&](const char* type) {
        for (const auto& condition : status.value("conditions", json::array()))
            if (condition["type"] == type) return condition["status"] == "True";
        return false;
    };
    if (is_true("Reconciling")) return "InProgress";
    if (is_true("Stalled")) return "Failed";
    return is_true("Ready") ? "Current" : "InProgress";
}

ValkeyConnection connection() {
    ValkeyConnection c;
    c.name = "sessions";
    c.generation = kGeneration;
    return c;
}

json object_with(const ConnectionStatus& status) {
    return {{"metadata", {{"generation", kGeneration}}}, {"status", write_connection_status(status)}};
}

/// @param reason of a failed look-up; nothing: it succeeded
json object_of(std::optional<Reason> reason, ConfigMapState state, std::int64_t generation = kGeneration) {
    Knowledge known;
    known.generation = generation;
    known.last_refresh = kNow;
    if (reason) known.refusal = providers::Refusal{*reason, "do this", {}};
    if (state != ConfigMapState::none) known.good.emplace().instance.full_name = "the instance";
    return object_with(build_status(connection(), known, state, {}, kNow));
}

TEST(Health, a_usable_configuration_is_healthy_whatever_the_last_look_up_said) {
    for (const auto reason : {std::optional<Reason>(), std::optional(Reason::permission_denied),
                              std::optional(Reason::cloud_unavailable), std::optional(Reason::quota_exhausted)}) {
        const auto object = object_of(reason, ConfigMapState::written);
        EXPECT_THAT(argo_cd(object), testing::StartsWith("Healthy the ConfigMap cloudvalkey-sessions holds"));
        EXPECT_EQ(kstatus(object), "Current");
    }
}

TEST(Health, what_may_heal_by_itself_is_progressing_and_says_what_to_do) {
    for (const auto reason : {Reason::instance_not_found, Reason::permission_denied, Reason::instance_not_ready}) {
        const auto object = object_of(reason, ConfigMapState::none);
        EXPECT_EQ(argo_cd(object), "Progressing " + std::string(to_string(reason)) + ": do this\n");
        EXPECT_EQ(kstatus(object), "InProgress");
    }
    const auto pending = object_with(build_pending_status(connection(), {}, kNow));
    EXPECT_EQ(argo_cd(pending), "Progressing the instance has not been looked up yet\n");
    EXPECT_EQ(kstatus(pending), "InProgress");
    const auto waiting = object_of({}, ConfigMapState::waiting);
    EXPECT_THAT(argo_cd(waiting), HasSubstr("of an earlier connection of this name is being removed"));
    EXPECT_EQ(kstatus(waiting), "InProgress");
}

TEST(Health, what_only_an_edit_heals_is_degraded) {
    for (const auto reason :
         {Reason::network_ambiguous, Reason::cluster_mode_not_supported, Reason::token_unprotected}) {
        for (const auto state : {ConfigMapState::none, ConfigMapState::written}) {
            const auto object = object_of(reason, state);
            EXPECT_EQ(argo_cd(object), "Degraded " + std::string(to_string(reason)) + ": do this\n");
            EXPECT_EQ(kstatus(object), "Failed");
        }
    }
    EXPECT_THAT(argo_cd(object_of({}, ConfigMapState::taken)), testing::StartsWith("Degraded NameConflict: "));
    const auto invalid = object_with(build_invalid_status(connection(), "spec.auth: odd", {}, kNow));
    EXPECT_THAT(argo_cd(invalid), testing::StartsWith("Degraded InvalidSpec: "));
    EXPECT_EQ(kstatus(invalid), "Failed");
}

TEST(Health, what_was_said_of_an_older_spec_is_no_verdict) {
    for (const auto& object :
         {object_of({}, ConfigMapState::written, 1), object_of(Reason::network_ambiguous, ConfigMapState::none, 1)}) {
        EXPECT_EQ(argo_cd(object), "Progressing waiting for the operator to see the new spec\n");
        EXPECT_EQ(kstatus(object), "InProgress");
    }
    EXPECT_EQ(argo_cd({{"metadata", {{"generation", 1}}}}), "Progressing waiting for the operator\n");
}

}  // namespace
}  // namespace cvp::op
