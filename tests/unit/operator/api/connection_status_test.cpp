#include "operator/api/connection_status.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op::test {
namespace {

using nlohmann::json;

ConnectionStatus full() {
    ConnectionStatus status;
    status.observed_generation = 3;
    status.conditions = {{"Ready", ConditionStatus::true_, "Resolved", "fine", 3, "2026-11-20T12:00:00Z"},
                         {"Stalled", ConditionStatus::unknown, "Pending", "", 3, "2026-11-20T12:00:00Z"}};
    status.resolved = {"projects/p/locations/l/instances/i",
                       "10.0.0.3:6379",
                       {"10.0.0.4:6379"},
                       "Standalone",
                       "Required",
                       "GoogleIAM"};
    status.ca_expires_at = "2036-01-01T00:00:00Z";
    status.last_refresh_time = "2026-11-20T12:00:00Z";
    status.last_handled_refresh = "now";
    status.config_map = "cloudvalkey-sessions";
    return status;
}

TEST(ConnectionStatus, is_written_as_the_schema_has_it_and_read_back) {
    const auto written = write_connection_status(full());
    EXPECT_EQ(written, json::parse(R"({
        "observedGeneration": 3,
        "conditions": [
          {"type":"Ready","status":"True","reason":"Resolved","message":"fine","observedGeneration":3,
           "lastTransitionTime":"2026-11-20T12:00:00Z"},
          {"type":"Stalled","status":"Unknown","reason":"Pending","message":"","observedGeneration":3,
           "lastTransitionTime":"2026-11-20T12:00:00Z"}],
        "resolved": {"instance":"projects/p/locations/l/instances/i","endpoint":"10.0.0.3:6379",
           "readers":["10.0.0.4:6379"],"topology":"Standalone","tls":"Required","auth":"GoogleIAM"},
        "caExpiresAt": "2036-01-01T00:00:00Z", "lastRefreshTime": "2026-11-20T12:00:00Z",
        "lastHandledRefresh": "now", "configMap": "cloudvalkey-sessions"})"));
    EXPECT_EQ(read_connection_status({{"status", written}}), full());
}

TEST(ConnectionStatus, what_is_empty_is_left_out) {
    EXPECT_EQ(write_connection_status({}), json::parse(R"({"observedGeneration":0,"conditions":[]})"));
    for (const auto* text : {"{}", R"({"status":5})", R"({"status":{"conditions":[5,{}],"resolved":[]}})"}) {
        EXPECT_EQ(read_connection_status(json::parse(text)).resolved, ResolvedSummary{}) << text;
    }
}

TEST(Conditions, the_time_of_transition_moves_only_when_the_status_flips) {
    const std::vector<Condition> old{{"Ready", ConditionStatus::true_, "Resolved", "", 1, "t1"},
                                     {"Resolved", ConditionStatus::true_, "Resolved", "", 1, "t1"}};
    std::vector<Condition> fresh{{"Ready", ConditionStatus::true_, "CloudUnavailable", "other words", 2, ""},
                                 {"Resolved", ConditionStatus::false_, "CloudUnavailable", "", 2, ""},
                                 {"Stalled", ConditionStatus::false_, "CloudUnavailable", "", 2, ""}};
    carry_transition_times(old, fresh, "t2");
    EXPECT_EQ(fresh[0].last_transition_time, "t1");
    EXPECT_EQ(fresh[1].last_transition_time, "t2");
    EXPECT_EQ(fresh[2].last_transition_time, "t2") << "new";
}

}  // namespace
}  // namespace cvp::op::test
