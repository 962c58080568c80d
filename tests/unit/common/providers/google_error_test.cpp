#include "common/providers/google_error.hpp"

#include <gtest/gtest.h>

#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using namespace providers;
using namespace std::chrono_literals;

const GoogleCall kCall{"instance projects/p/locations/l/instances/i", "p", "memorystore.googleapis.com",
                       "roles/memorystore.viewer", "memorystore.instances.get"};

http::Response golden(unsigned status, const std::string& name) {
    return {status, {}, read_source("tests/golden/memorystore/" + name + ".json")};
}

Refusal interpret(unsigned status, std::string body, http::Headers headers = {}) {
    return interpret_google_error({status, std::move(headers), std::move(body)}, kCall);
}

TEST(GoogleError, recorded_bodies_become_reasons_that_name_the_remedy) {
    const auto not_found = interpret_google_error(golden(404, "error-404"), kCall);
    EXPECT_EQ(not_found.reason, Reason::instance_not_found);
    EXPECT_EQ(not_found.message,
              "the instance projects/p/locations/l/instances/i was not found: check project, location and name, or "
              "create it; it is looked for again at every refresh");

    const auto disabled = interpret_google_error(golden(403, "error-403-api-disabled"), kCall);
    EXPECT_EQ(disabled.reason, Reason::api_disabled);
    EXPECT_EQ(disabled.message,
              "the API memorystore.googleapis.com is not enabled in project p: gcloud services enable "
              "memorystore.googleapis.com --project p");

    const auto denied = interpret_google_error(golden(403, "error-403-iam"), kCall);
    EXPECT_EQ(denied.reason, Reason::permission_denied);
    for (const auto* word : {"roles/memorystore.viewer", "memorystore.instances.get", "memorystore.googleapis.com"}) {
        EXPECT_NE(denied.message.find(word), std::string::npos) << word;
    }

    const auto quota = interpret_google_error(golden(429, "error-429"), kCall);
    EXPECT_EQ(quota.reason, Reason::quota_exhausted);
    EXPECT_EQ(quota.retry_after, std::nullopt);
    EXPECT_NE(quota.message.find("refreshInterval"), std::string::npos);

    EXPECT_EQ(interpret_google_error(golden(401, "error-401-missing"), kCall).reason, Reason::permission_denied);
    EXPECT_EQ(interpret_google_error(golden(401, "error-401-invalid"), kCall).reason, Reason::permission_denied);
    EXPECT_EQ(interpret_google_error(golden(503, "error-503"), kCall).reason, Reason::cloud_unavailable);
}

TEST(GoogleError, other_reasons_of_403_name_their_own_remedy) {
    const auto with_reason = [](const std::string& reason) {
        return interpret(403, R"({"error":{"details":[{"@type":"type.googleapis.com/google.rpc.Help"},
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":")" +
                                  reason + R"("}]}})");
    };
    EXPECT_NE(with_reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT").message.find("cloud-platform"), std::string::npos);
    EXPECT_NE(with_reason("BILLING_DISABLED").message.find("billing"), std::string::npos);
    EXPECT_EQ(with_reason("SOMETHING_NEW").reason, Reason::permission_denied);
    EXPECT_EQ(with_reason("SERVICE_DISABLED").reason, Reason::api_disabled);
}

TEST(GoogleError, bodies_that_are_no_json_are_judged_by_status) {
    const std::string html = "<!DOCTYPE html><html><title>Error 404 (Not Found)!!1</title></html>";
    EXPECT_EQ(interpret(404, html).reason, Reason::instance_not_found);
    EXPECT_EQ(interpret(403, html).reason, Reason::permission_denied);
    EXPECT_EQ(interpret(502, html).reason, Reason::cloud_unavailable);
    EXPECT_EQ(interpret(500, "").reason, Reason::cloud_unavailable);
    EXPECT_EQ(interpret(429, "[[[[").reason, Reason::quota_exhausted);
    EXPECT_EQ(interpret(302, html).reason, Reason::cloud_unavailable);
    EXPECT_EQ(interpret(403, R"({"error":"text"})").reason, Reason::permission_denied);
    EXPECT_EQ(interpret(403, R"({"error":{"details":[5,null,{"@type":7}]}})").reason, Reason::permission_denied);
    EXPECT_EQ(interpret(400, html).reason, Reason::instance_not_found);
}

TEST(GoogleError, prose_of_the_answer_is_never_repeated) {
    const auto refusal = interpret(403, R"({"error":{"message":"canary ya29.SECRET","status":"canary"}})");
    EXPECT_EQ(refusal.message.find("canary"), std::string::npos);
}

TEST(GoogleError, a_delay_comes_from_the_header_or_from_retry_info) {
    const auto with_delay = [](const std::string& delay) {
        return interpret(429,
                         R"({"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" +
                             delay + R"("}]}})")
            .retry_after;
    };
    EXPECT_EQ(with_delay("4s"), 4s);
    EXPECT_EQ(with_delay("1.5s"), 2s);
    EXPECT_EQ(with_delay("soon"), std::nullopt);
    EXPECT_EQ(with_delay("999999999s"), 3600s);
    EXPECT_EQ(interpret(503, "", {{"retry-after", "7"}}).retry_after, 7s);
    EXPECT_EQ(interpret(429, "", {{"Retry-After", "Fri, 20 Nov 2026 12:00:00 GMT"}}).retry_after, std::nullopt);
    EXPECT_EQ(interpret(429, "", {{"Retry-After", "-1"}}).retry_after, std::nullopt);
}

TEST(GoogleError, a_fault_before_any_answer_is_unavailable) {
    const auto refusal = interpret_transport_error({ErrorCode::timeout, "connecting"}, kCall);
    EXPECT_EQ(refusal.reason, Reason::cloud_unavailable);
    EXPECT_EQ(refusal.message,
              "memorystore.googleapis.com cannot be reached for the instance projects/p/locations/l/instances/i "
              "(timeout: connecting): check that egress to it is allowed; the last good configuration stays");
}

TEST(Reasons, only_those_that_an_edit_heals_need_one) {
    for (const auto reason :
         {Reason::network_ambiguous, Reason::cluster_mode_not_supported, Reason::token_unprotected}) {
        EXPECT_TRUE(needs_an_edit(reason)) << to_string(reason);
    }
    for (const auto reason :
         {Reason::resolved, Reason::instance_not_found, Reason::permission_denied, Reason::api_disabled,
          Reason::quota_exhausted, Reason::cloud_unavailable, Reason::instance_not_ready}) {
        EXPECT_FALSE(needs_an_edit(reason)) << to_string(reason);
    }
    EXPECT_EQ(to_string(Reason::cluster_mode_not_supported), "ClusterModeNotSupported");
    EXPECT_EQ(to_string(Reason::token_unprotected), "TokenUnprotected");
}

}  // namespace
}  // namespace cvp::test
