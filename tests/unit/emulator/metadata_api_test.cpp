#include "tests/emulator/metadata_api.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/credentials/metadata_answer.hpp"

namespace cvp::emulator {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

const auto kNow = SystemClock::time_point(std::chrono::seconds(1'790'000'000));

class MetadataApi : public ::testing::Test {
protected:
    http::Response get(const std::string& target, bool with_flavor = true) {
        http::Request request;
        request.target = target;
        if (with_flavor) request.headers.set("Metadata-Flavor", "Google");
        return answer_metadata(request, state_, now_).response;
    }
    http::Response value(const std::string& path) { return get("/computeMetadata/v1/" + path); }
    std::string token() {
        return Json::parse(value("instance/service-accounts/default/token").body)["access_token"].get<std::string>();
    }

    State state_;
    SystemClock::time_point now_ = kNow;
};

TEST_F(MetadataApi, says_who_and_where_it_is) {
    EXPECT_EQ(value("project/project-id").body, "my-project");
    EXPECT_EQ(value("project/numeric-project-id").body, "123456789012");
    EXPECT_EQ(value("instance/zone").body, "projects/123456789012/zones/us-central1-a");
    EXPECT_EQ(value("instance/attributes/cluster-location").body, "us-central1");
    EXPECT_EQ(value("instance/service-accounts/default/email").body,
              "valkey-client@my-project.iam.gserviceaccount.com");
    EXPECT_EQ(value("instance/service-accounts/default/aliases").body, "default");
    EXPECT_EQ(value("instance/service-accounts/default/scopes").body,
              "https://www.googleapis.com/auth/cloud-platform\n");
}

TEST_F(MetadataApi, answers_with_the_flavor_of_gke) {
    const auto response = value("project/project-id");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.headers.find("Content-Type"), "application/text");
    EXPECT_EQ(response.headers.find("Metadata-Flavor"), "Google");
    EXPECT_EQ(response.headers.find("Server"), "GKE Metadata Server");
    EXPECT_EQ(get("/").body, "computeMetadata/\n");
}

TEST_F(MetadataApi, answers_as_a_vm_does_outside_gke) {
    state_.metadata.is_gke = false;
    const auto response = value("project/project-id");
    EXPECT_EQ(response.headers.find("Server"), "Metadata Server for VM");
    EXPECT_TRUE(response.headers.find("ETag"));
    EXPECT_EQ(response.headers.find("X-XSS-Protection"), "0");
    const auto absent = value("instance/attributes/cluster-location");
    EXPECT_EQ(absent.status, 404U);
    EXPECT_EQ(absent.headers.find("Metadata-Flavor"), "Google");
    EXPECT_EQ(absent.headers.find("Content-Type"), "text/html; charset=UTF-8");
}

TEST_F(MetadataApi, refuses_who_does_not_name_the_flavor) {
    const auto response = get("/computeMetadata/v1/instance/service-accounts/default/token", false);
    EXPECT_EQ(response.status, 403U);
    EXPECT_EQ(response.body, "Missing required header \"Metadata-Flavor\": \"Google\"\n");
    EXPECT_EQ(response.headers.find("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(response.headers.find("X-Content-Type-Options"), "nosniff");
    EXPECT_FALSE(response.headers.find("Metadata-Flavor"));
    EXPECT_FALSE(response.headers.find("Server"));
    EXPECT_TRUE(state_.tokens.all().empty());
}

TEST_F(MetadataApi, mints_a_token_that_the_product_can_read) {
    const auto response = value("instance/service-accounts/default/token");
    EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
    const auto body = Json::parse(response.body);
    EXPECT_EQ(body.size(), 3U);
    EXPECT_EQ(body["expires_in"], 3600);
    EXPECT_EQ(body["token_type"], "Bearer");
    const auto read = metadata::parse_token(response.body, kNow);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->value.reveal().starts_with("ya29."));
    EXPECT_GT(read->value.reveal().size(), 150U);
    EXPECT_TRUE(state_.tokens.find(read->value.reveal())->is_live(now_));
}

TEST_F(MetadataApi, hands_out_the_same_token_until_four_minutes_are_left) {
    const auto first = token();
    now_ = kNow + 55min;
    EXPECT_EQ(token(), first);
    EXPECT_EQ(Json::parse(value("instance/service-accounts/default/token").body)["expires_in"], 300);
    now_ = kNow + 56min;
    EXPECT_NE(token(), first);
}

TEST_F(MetadataApi, gives_a_new_token_after_the_old_ones_were_expired) {
    const auto first = token();
    state_.tokens.expire_all(now_);
    const auto second = token();
    EXPECT_NE(second, first);
    EXPECT_FALSE(state_.tokens.find(first)->is_live(now_));
}

TEST_F(MetadataApi, a_token_has_the_scopes_that_were_asked_for) {
    const auto response =
        value("instance/service-accounts/default/token?scopes=https%3A%2F%2Fa.example%2Fx,https%3A%2F%2Fb.example%2Fy");
    const auto* minted = state_.tokens.find(Json::parse(response.body)["access_token"].get<std::string>());
    ASSERT_NE(minted, nullptr);
    EXPECT_EQ(minted->scopes, (std::vector<std::string>{"https://a.example/x", "https://b.example/y"}));
}

TEST_F(MetadataApi, a_directory_without_its_slash_moves_and_with_it_lists) {
    const auto moved = value("instance/service-accounts");
    EXPECT_EQ(moved.status, 301U);
    EXPECT_EQ(moved.headers.find("Location"), "/computeMetadata/v1/instance/service-accounts/");
    EXPECT_EQ(value("instance/service-accounts/").body,
              "default/\nvalkey-client@my-project.iam.gserviceaccount.com/\n");
    EXPECT_EQ(value("instance/attributes/").body, "cluster-location\ncluster-name\ncluster-uid\n");
    EXPECT_EQ(value("").body, "instance/\nproject/\n");
}

TEST_F(MetadataApi, a_directory_is_json_when_asked_for_recursively) {
    const auto account = Json::parse(value("instance/service-accounts/default/?recursive=true").body);
    EXPECT_EQ(account, Json::parse(R"({"aliases": ["default"],
        "email": "valkey-client@my-project.iam.gserviceaccount.com",
        "scopes": ["https://www.googleapis.com/auth/cloud-platform"]})"));
    const auto project = Json::parse(value("project/?recursive=true").body);
    EXPECT_EQ(project, Json::parse(R"({"numericProjectId": "123456789012", "projectId": "my-project"})"));
}

TEST_F(MetadataApi, knows_nothing_else) {
    EXPECT_EQ(value("instance/attributes/other").status, 404U);
    EXPECT_EQ(value("instance/service-accounts/stranger@example.com/token").status, 404U);
    EXPECT_EQ(get("/other").status, 404U);
}

TEST_F(MetadataApi, refusals_of_the_token_say_what_the_real_server_says) {
    Fault fault;
    fault.status = 403;
    fault.kind = "instance/service-accounts/default/token";
    state_.metadata_faults.add(fault);
    EXPECT_EQ(value("project/project-id").status, 200U);
    const auto denied = value("instance/service-accounts/default/token");
    EXPECT_EQ(denied.status, 403U);
    EXPECT_TRUE(
        denied.body.starts_with("Unable to generate access token; IAM returned 403 Forbidden: Permission "
                                "'iam.serviceAccounts.getAccessToken' denied on resource"));
    state_.metadata_faults.clear();
    fault.status = 404;
    state_.metadata_faults.add(fault);
    EXPECT_TRUE(value("instance/service-accounts/default/token")
                    .body.starts_with("Unable to generate access token; IAM returned 404 Not Found"));
}

TEST_F(MetadataApi, a_fault_for_the_next_calls_ends_by_itself) {
    Fault fault;
    fault.status = 500;
    fault.remaining = 2;
    state_.metadata_faults.add(fault);
    EXPECT_EQ(value("project/project-id").body, "GKE Metadata Server: Internal Server Error\n");
    EXPECT_EQ(value("project/project-id").status, 500U);
    EXPECT_EQ(value("project/project-id").status, 200U);
}

TEST_F(MetadataApi, counts_calls_by_path) {
    token();
    token();
    get("/computeMetadata/v1/project/project-id", false);
    EXPECT_EQ(state_.calls.count("metadata", "instance/service-accounts/default/token"), 2U);
    EXPECT_EQ(state_.calls.count("metadata", "project/project-id"), 1U);
}

TEST(TokenMint, tokens_differ_and_live_as_long_as_asked) {
    TokenMint mint(10s);
    const auto& a = mint.mint(kNow, {});
    const auto& b = mint.mint(kNow, {}, 30s);
    EXPECT_NE(a.value.reveal(), b.value.reveal());
    EXPECT_EQ(mint.live(kNow).size(), 2U);
    EXPECT_EQ(mint.next_expiry(kNow), kNow + 10s);
    EXPECT_EQ(mint.live(kNow + 10s).size(), 1U);
    EXPECT_EQ(mint.next_expiry(kNow + 10s), kNow + 30s);
    mint.expire_all(kNow + 11s);
    EXPECT_FALSE(mint.next_expiry(kNow + 11s));
    EXPECT_EQ(mint.find("ya29.unknown"), nullptr);
}

}  // namespace
}  // namespace cvp::emulator
