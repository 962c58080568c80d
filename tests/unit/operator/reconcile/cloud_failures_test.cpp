// What a connection keeps and says when the cloud refuses, fails or wants no more calls.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/operator/reconcile/reconciling.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using cvp::test::ca_answer;
using cvp::test::iam_instance;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Reconciling, the_last_good_configuration_stays_on_every_error) {
    create_and_settle();
    const auto before = version(kConfigMap);
    const std::vector<std::pair<unsigned, std::string>> errors{{401, "PermissionDenied"},
                                                               {404, "InstanceNotFound"},
                                                               {403, "PermissionDenied"},
                                                               {503, "CloudUnavailable"},
                                                               {429, "QuotaExhausted"}};
    for (const auto& [code, reason] : errors) {
        cloud.answer(kInstanceTarget, code, json::object());
        now += 20s;  // the pause after a failure of the project
        ask_for_refresh(std::to_string(code));
        ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/" + reason; })) << code;
        EXPECT_EQ(condition("Ready"), "True/" + reason);
        EXPECT_EQ(condition("Stalled"), "False/" + reason);
    }
    EXPECT_EQ(version(kConfigMap), before);
}

TEST_F(Reconciling, after_a_429_the_project_is_left_alone) {
    create_and_settle();
    cloud.answer(kInstanceTarget, 429, json::object());
    ask_for_refresh("one");
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/QuotaExhausted"; }));
    const auto calls = cloud.calls.size();
    ask_for_refresh("two");
    settle();
    EXPECT_EQ(cloud.calls.size(), calls);
    EXPECT_EQ(status().last_handled_refresh, "one") << "the second one waits its turn";
}

TEST_F(Reconciling, a_cloud_that_cannot_be_reached_is_unavailable) {
    create_and_settle();
    cloud.failure = Error{ErrorCode::unavailable, "connection refused"};
    refresh_and_settle("one");
    EXPECT_EQ(condition("Resolved"), "False/CloudUnavailable");
    EXPECT_EQ(condition("Ready"), "True/CloudUnavailable");
    cloud.failure.reset();
    now += 2s;
    refresh_and_settle("two");
    EXPECT_TRUE(is_ready());
}

TEST_F(Reconciling, without_a_ca_there_is_no_document_and_a_later_failure_keeps_the_last_good_one) {
    cloud.answer(kCaTarget, 503, json::object());
    api.put(kConnection, connection());
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/CloudUnavailable"; }));
    EXPECT_TRUE(config_map().is_null());

    cloud.answer(kCaTarget, 200, ca_answer(ca.pem()));
    now += 20s;  // the pause after a failure
    refresh_and_settle("one");
    EXPECT_TRUE(is_ready());

    cloud.answer(kCaTarget, 503, json::object());
    cloud.answer(kInstanceTarget, 200, iam_instance("10.200.0.1"));
    now += 20s;  // the pause after a failure
    refresh_and_settle("two");
    EXPECT_EQ(condition("Ready"), "True/CloudUnavailable");
    EXPECT_EQ(document().endpoints.at(0).host, "10.200.0.1") << "the move is not held up by the CA";
    EXPECT_EQ(document().tls.ca, ca.pem());
}

TEST_F(Reconciling, the_ca_of_another_instance_is_never_used) {
    create_and_settle();
    const auto other = std::string("projects/my-project/locations/us-central1/instances/other");
    cloud.answer("/v1/" + other, 200, iam_instance("10.99.0.1"));
    auto changed = api.stored(kConnection);
    changed["spec"]["instance"]["memorystoreValkey"]["name"] = other;
    api.put(kConnection, changed);
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/InstanceNotFound"; }));
    EXPECT_EQ(document().endpoints.at(0).host, "10.128.0.8") << "its own CA is missing: the last good stays whole";
}

TEST_F(Reconciling, a_short_name_without_a_place_names_the_remedy) {
    place.place = fail(ErrorCode::unavailable, "the metadata server cannot be reached");
    api.put(kConnection, connection("my-valkey"));
    ASSERT_TRUE(reaches([&] { return condition("Resolved") == "False/CloudUnavailable"; }));
    const auto written = status();
    EXPECT_THAT(find_condition(written.conditions, "Resolved")->message,
                testing::AllOf(HasSubstr("the metadata server cannot be reached"), HasSubstr("give the full name")));
    EXPECT_THAT(cloud.calls, ElementsAre());
}

TEST_F(Reconciling, a_minute_sees_no_more_calls_than_the_quota) {
    for (int i = 0; i < 40; ++i)
        api.put(valkey_connections("shop", "c" + std::to_string(i)), connection());
    ASSERT_TRUE(reaches([&] { return cloud.calls.size() == 54; }));
    settle();
    EXPECT_EQ(cloud.calls.size(), 54u) << "27 of 40 instances with their CA";
    int pending = 0;
    for (int i = 0; i < 40; ++i) {
        const auto written = read_connection_status(api.stored(valkey_connections("shop", "c" + std::to_string(i))));
        const auto* ready = find_condition(written.conditions, "Ready");
        ASSERT_NE(ready, nullptr);
        pending += ready->status == ConditionStatus::unknown ? 1 : 0;
    }
    EXPECT_EQ(pending, 13);
}

}  // namespace
}  // namespace cvp::op
