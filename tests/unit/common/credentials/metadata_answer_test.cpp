#include "common/credentials/metadata_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::metadata {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

http::Response answer(unsigned status, std::string body, bool with_flavor = true) {
    http::Response response{status, {}, std::move(body)};
    if (with_flavor) response.headers.set("Metadata-Flavor", "Google");
    return response;
}

TEST(MetadataHost, is_the_well_known_address_or_what_the_environment_says) {
    EXPECT_EQ(parse_host("")->to_string(), "http://169.254.169.254:80");
    EXPECT_EQ(parse_host("127.0.0.1:8080")->to_string(), "http://127.0.0.1:8080");
    EXPECT_EQ(parse_host("metadata.google.internal")->to_string(), "http://metadata.google.internal:80");
    EXPECT_THAT(parse_host("a:b:c").error().context, HasSubstr("GCE_METADATA_HOST: "));
}

TEST(MetadataAnswer, is_the_trimmed_body) {
    EXPECT_EQ(read_answer("zone", answer(200, "projects/1/zones/a-b1-c\n")), "projects/1/zones/a-b1-c");
}

TEST(MetadataAnswer, of_something_else_is_refused) {
    EXPECT_EQ(read_answer("zone", answer(200, "x", false)).error().code, ErrorCode::protocol_error);
    http::Response response{200, {{"Metadata-Flavor", "Other"}}, "x"};
    EXPECT_EQ(read_answer("zone", response).error().code, ErrorCode::protocol_error);
}

// Bodies as recorded from GKE's and GCE's metadata servers.
TEST(MetadataAnswer, names_the_missing_role) {
    const auto error =
        read_answer("token", answer(403,
                                    "Unable to generate access token; IAM returned 403 Forbidden: Permission "
                                    "'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\n"
                                    "This error could be caused by a missing IAM policy binding on the target IAM "
                                    "service account.\n",
                                    false))
            .error();
    EXPECT_EQ(error.code, ErrorCode::permission_denied);
    EXPECT_THAT(error.context, AllOf(HasSubstr("iam.serviceAccounts.getAccessToken"),
                                     HasSubstr("grant roles/iam.workloadIdentityUser"), Not(HasSubstr("\n"))));
}

TEST(MetadataAnswer, names_the_api_that_is_off) {
    const auto error = read_answer("token", answer(403,
                                                   "Unable to generate access token; IAM returned 403 Forbidden: IAM "
                                                   "Service Account Credentials API has not been used in project 12 "
                                                   "before or it is disabled.\n"))
                           .error();
    EXPECT_EQ(error.code, ErrorCode::permission_denied);
    EXPECT_THAT(error.context, HasSubstr("enable iamcredentials.googleapis.com"));
}

TEST(MetadataAnswer, names_the_account_that_does_not_exist) {
    const auto error = read_answer("token", answer(404,
                                                   "Unable to generate access token; IAM returned 404 Not Found: Not "
                                                   "found; Gaia id not found for email a@b.iam.gserviceaccount.com\n"))
                           .error();
    EXPECT_EQ(error.code, ErrorCode::not_found);
    EXPECT_THAT(error.context, AllOf(HasSubstr("a@b.iam.gserviceaccount.com"), HasSubstr("gcp-service-account")));
}

TEST(MetadataAnswer, has_a_class_for_every_status) {
    const auto code = [](unsigned status) { return read_answer("token", answer(status, "x")).error().code; };
    EXPECT_EQ(code(400), ErrorCode::protocol_error);
    EXPECT_EQ(code(301), ErrorCode::protocol_error);
    EXPECT_EQ(code(403), ErrorCode::permission_denied);
    EXPECT_EQ(code(404), ErrorCode::not_found);
    EXPECT_EQ(code(429), ErrorCode::resource_exhausted);
    EXPECT_EQ(code(499), ErrorCode::unavailable);
    EXPECT_EQ(code(500), ErrorCode::unavailable);
    EXPECT_EQ(code(503), ErrorCode::unavailable);
}

TEST(MetadataAnswer, quotes_one_bounded_line_and_no_html) {
    EXPECT_EQ(read_answer("zone", answer(404, "<!DOCTYPE html>\n<p>gone")).error().context,
              "the metadata server has no zone (HTTP 404)");
    EXPECT_EQ(read_answer("zone", answer(500, "first\nsecond")).error().context,
              "the metadata server answers HTTP 500 to the zone: first");
    EXPECT_LT(read_answer("zone", answer(500, std::string(5000, 'x'))).error().context.size(), 400u);
}

TEST(MetadataToken, is_read_with_its_end) {
    const auto now = SystemClock::now();
    const auto token = parse_token(R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})", now);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->value, Secret("ya29.x"));
    EXPECT_EQ(token->expires_at, now + 3599s);
}

TEST(MetadataToken, is_refused_without_quoting_it) {
    for (const auto* body :
         {"", "canary", "[]", R"({"access_token":"canary"})", R"({"access_token":"canary","expires_in":0})",
          R"({"access_token":"canary","expires_in":-1})", R"({"access_token":"canary","expires_in":"3599"})",
          R"({"access_token":"canary","expires_in":1e300})", R"({"access_token":"canary","expires_in":999999999999})",
          R"({"access_token":"","expires_in":10})", R"({"access_token":7,"expires_in":10})", R"({"expires_in":10})",
          R"({"access_token":"canary","expires_in":10)"}) {
        const auto token = parse_token(body, SystemClock::now());
        ASSERT_FALSE(token) << body;
        EXPECT_EQ(token.error().code, ErrorCode::protocol_error);
        EXPECT_THAT(token.error().context, Not(HasSubstr("canary")));
    }
}

TEST(MetadataRegion, is_read_from_regions_and_zones) {
    EXPECT_EQ(parse_region("us-central1"), "us-central1");
    EXPECT_EQ(parse_region("us-central1-a"), "us-central1");
    EXPECT_EQ(parse_region("projects/123/zones/northamerica-northeast1-b"), "northamerica-northeast1");
    EXPECT_EQ(parse_region("us-central1-ai1a"), "us-central1");
    for (const auto* location : {"", "global", "-", "-1", "us-", "us-central", "US-CENTRAL1", "us central1"}) {
        EXPECT_FALSE(parse_region(location)) << location;
    }
}

TEST(Identity, of_an_unlinked_kubernetes_account_is_named_with_the_remedy) {
    EXPECT_EQ(identity_kind("a@p.iam.gserviceaccount.com"), IdentityKind::service_account);
    EXPECT_EQ(identity_kind("my-project.svc.id.goog"), IdentityKind::workload_pool);
    EXPECT_EQ(identity_warning("a@p.iam.gserviceaccount.com"), "");
    EXPECT_THAT(identity_warning("my-project.svc.id.goog"),
                AllOf(HasSubstr("my-project.svc.id.goog"), HasSubstr("iam.gke.io/gcp-service-account"),
                      HasSubstr("roles/memorystore.dbConnectionUser")));
}

}  // namespace
}  // namespace cvp::metadata
