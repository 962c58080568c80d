#include "tests/emulator/memorystore_api.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/emulator/enum_numbers.hpp"
#include "tests/emulator/instance_record.hpp"

namespace cvp::emulator {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kName = "projects/my-project/locations/us-central1/instances/my-valkey";
const auto kNow = SystemClock::time_point(std::chrono::seconds(1'790'000'000));

Json golden(const std::string& name) {
    std::ifstream file(std::string(CVP_GOLDEN_DIR) + "/memorystore/" + name + ".json");
    std::stringstream text;
    text << file.rdbuf();
    return Json::parse(text.str());
}

/// The recorded IAM and TLS instance in cluster mode, rebuilt from its shape and what its owner had set.
std::string recorded_cluster() {
    auto shape = default_shape(parse_instance_name(kName).value(), true);
    const std::string attachment =
        "projects/217601048145/regions/us-central1/serviceAttachments/gcp-memorystore-auto-jdeda4f5a00eec63-psc-sa";
    const std::string rule =
        "https://www.googleapis.com/compute/v1/projects/my-project/regions/us-central1/forwardingRules/sca-auto-fr-";
    shape.uid = "869f2d09-d20b-46d8-94ba-be83c48ceb54";
    shape.shard_count = 6;
    shape.replica_count = 2;
    shape.node_type = "STANDARD_SMALL";
    shape.node_size_gb = 6.5;
    shape.engine_version = "VALKEY_7_2";
    shape.maintenance_version = "MEMORYSTORE_20260313_01_00";
    shape.zone = "us-central1-b";
    shape.connections[0].connection_id = "113270064572006403";
    shape.connections[0].forwarding_rule = rule + "49577f2f-7f93-4ddf-876d-47569c2224f4";
    shape.connections[0].service_attachment = attachment;
    shape.connections[1].connection_id = "113270064572006402";
    shape.connections[1].forwarding_rule = rule + "314f5639-1e1a-4371-b29f-27e0da3818da";
    shape.connections[1].service_attachment = attachment + "-2";
    return merge_instance(build_instance(shape), R"({
        "labels": {"key1": "val1"}, "engineConfigs": {"maxmemory-policy": "volatile-ttl"},
        "deletionProtectionEnabled": true,
        "persistenceConfig": {"mode": "AOF", "aofConfig": {"appendFsync": "EVERY_SEC"}}})")
        .value();
}

/// The recorded instance with cluster mode, authentication and TLS off.
std::string recorded_open() {
    auto shape = default_shape(parse_instance_name(kName).value());
    const std::string attachment =
        "projects/1063151100729/regions/us-central1/serviceAttachments/gcp-memorystore-auto-h277af354c663f5a-psc-sa";
    const std::string rule =
        "https://www.googleapis.com/compute/v1/projects/my-project/regions/us-central1/forwardingRules/sca-auto-fr-";
    shape.uid = "0d9a4a0e-6a64-4b1c-8f0d-3f6ce2a9f0a4";
    shape.engine_version = "VALKEY_7_2";
    shape.authorization_mode = "AUTH_DISABLED";
    shape.transit_encryption_mode = "TRANSIT_ENCRYPTION_DISABLED";
    shape.connections[0].connection_id = "123872595069108232";
    shape.connections[0].forwarding_rule = rule + "9d1c9c8e-5d0c-4f0f-9a53-3a3a3f1c8a11";
    shape.connections[0].service_attachment = attachment;
    shape.connections[1].connection_id = "123872595069108233";
    shape.connections[1].forwarding_rule = rule + "2b7f0b50-8f43-4b16-9a1f-0c6c2b8a4d52";
    shape.connections[1].service_attachment = attachment + "-2";
    return build_instance(shape);
}

class MemorystoreApi : public ::testing::Test {
protected:
    MemorystoreApi() {
        state_.instances[kName] = {recorded_cluster(), {"-----BEGIN CERTIFICATE-----\nfirst\n"}};
        token_ = std::string(state_.tokens.mint(kNow, {kCloudPlatformScope}).value.reveal());
    }

    http::Response get(const std::string& path, const std::string& token) {
        http::Request request;
        request.target = "/v1/" + path;
        if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
        return answer_memorystore(request, state_, now_).response;
    }
    http::Response get(const std::string& path) { return get(path, token_); }

    State state_;
    std::string token_;
    SystemClock::time_point now_ = kNow;
};

TEST_F(MemorystoreApi, answers_an_instance_as_recorded) {
    const auto cluster = get(kName);
    EXPECT_EQ(cluster.status, 200U);
    EXPECT_EQ(Json::parse(cluster.body), golden("instance-cluster-iam-tls"));
    state_.instances[kName].document = recorded_open();
    EXPECT_EQ(Json::parse(get(kName).body), golden("instance-standalone-open"));
}

TEST_F(MemorystoreApi, answers_enums_as_numbers_to_who_asks_for_them) {
    const auto expected = golden("instance-cluster-iam-tls.enum-int");
    EXPECT_EQ(Json::parse(get(std::string(kName) + "?%24alt=json%3Benum-encoding%3Dint").body), expected);
    EXPECT_EQ(Json::parse(get(std::string(kName) + "?alt=json&$alt=json;enum-encoding=int").body), expected);
    EXPECT_EQ(Json::parse(get(std::string(kName) + "?alt=json").body), golden("instance-cluster-iam-tls"));
}

TEST_F(MemorystoreApi, sends_googles_headers_on_good_and_bad_answers) {
    for (const auto& response : {get(kName), get("projects/my-project/locations/us-central1/instances/other")}) {
        std::vector<std::string> lines;
        for (const auto& [name, value] : response.headers)
            lines.push_back(name + ": " + value);
        EXPECT_EQ(lines, (std::vector<std::string>{"Content-Type: application/json; charset=UTF-8", "Server: ESF",
                                                   "Vary: Origin", "Vary: X-Origin", "Vary: Referer",
                                                   "X-Content-Type-Options: nosniff", "X-Frame-Options: SAMEORIGIN",
                                                   "X-Xss-Protection: 0"}));
    }
}

TEST_F(MemorystoreApi, an_absent_instance_is_404_as_recorded) {
    state_.instances.clear();
    for (const auto* path :
         {kName, "projects/my-project/locations/us-central1/instances/my-valkey/certificateAuthority"}) {
        const auto response = get(path);
        EXPECT_EQ(response.status, 404U);
        EXPECT_EQ(Json::parse(response.body), golden("error-404"));
    }
}

TEST_F(MemorystoreApi, a_bearer_is_missing_unknown_or_expired) {
    const auto missing = get(kName, "");
    EXPECT_EQ(missing.status, 401U);
    EXPECT_EQ(Json::parse(missing.body), golden("error-401-missing"));
    const auto unknown = get(kName, "ya29.c.never-minted");
    EXPECT_EQ(unknown.status, 401U);
    EXPECT_EQ(Json::parse(unknown.body), golden("error-401-invalid"));
    now_ += 1h;
    EXPECT_EQ(Json::parse(get(kName).body), golden("error-401-invalid"));
}

TEST_F(MemorystoreApi, a_token_of_another_scope_is_refused) {
    const auto narrow =
        std::string(state_.tokens.mint(kNow, {"https://www.googleapis.com/auth/devstorage.read_only"}).value.reveal());
    const auto response = get(kName, narrow);
    EXPECT_EQ(response.status, 403U);
    EXPECT_EQ(Json::parse(response.body)["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    const auto read_only =
        std::string(state_.tokens.mint(kNow, {"https://www.googleapis.com/auth/memorystore.read-only"}).value.reveal());
    EXPECT_EQ(get(kName, read_only).status, 200U);
}

TEST_F(MemorystoreApi, injected_faults_have_googles_bodies) {
    const std::vector<std::tuple<unsigned, std::string, std::string>> cases = {
        {401, "", "error-401-invalid"}, {403, "", "error-403-iam"}, {403, "SERVICE_DISABLED", "error-403-api-disabled"},
        {404, "", "error-404"},         {429, "", "error-429"},     {503, "", "error-503"}};
    for (const auto& [status, reason, file] : cases) {
        Fault fault;
        fault.status = status;
        fault.reason = reason;
        fault.remaining = 1;
        state_.rest_faults.add(fault);
        const auto response = get(kName);
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(Json::parse(response.body), golden(file)) << file;
        EXPECT_EQ(get(kName).status, 200U);
    }
}

TEST_F(MemorystoreApi, a_fault_can_hit_one_kind_of_call_be_slow_and_say_when_to_come_back) {
    Fault fault;
    fault.status = 503;
    fault.kind = "instances.certificateAuthority";
    fault.retry_after_seconds = 7;
    state_.rest_faults.add(fault);
    Fault slow;
    slow.delay = 300ms;
    state_.rest_faults.add(slow);
    EXPECT_EQ(get(kName).status, 200U);
    http::Request request;
    request.target = "/v1/" + std::string(kName) + "/certificateAuthority";
    const auto answer = answer_memorystore(request, state_, kNow);
    EXPECT_EQ(answer.response.status, 503U);
    EXPECT_EQ(answer.delay, 300ms);
    EXPECT_EQ(answer.response.headers.find("Retry-After"), "7");
    state_.rest_faults.clear();
    EXPECT_EQ(get(std::string(kName) + "/certificateAuthority").status, 200U);
}

TEST_F(MemorystoreApi, certificate_authority_lists_every_ca_of_the_instance) {
    state_.instances[kName].ca_chains.push_back("-----BEGIN CERTIFICATE-----\nsecond\n");
    const auto body = Json::parse(get(std::string(kName) + "/certificateAuthority").body);
    EXPECT_EQ(body, Json::parse(R"({
        "name": "projects/my-project/locations/us-central1/instances/my-valkey/certificateAuthority",
        "managedServerCa": {"caCerts": [
            {"certificates": ["-----BEGIN CERTIFICATE-----\nfirst\n"]},
            {"certificates": ["-----BEGIN CERTIFICATE-----\nsecond\n"]}]}})"));
}

TEST_F(MemorystoreApi, a_region_shares_a_ca) {
    state_.shared_cas["projects/my-project/locations/us-central1"] = {"PEM"};
    const auto body =
        Json::parse(get("projects/my-project/locations/us-central1/sharedRegionalCertificateAuthority").body);
    EXPECT_EQ(body["name"], "projects/my-project/locations/us-central1/sharedRegionalCertificateAuthority");
    EXPECT_EQ(body["managedServerCa"]["caCerts"][0]["certificates"][0], "PEM");
}

TEST_F(MemorystoreApi, what_is_no_method_is_a_page_of_html) {
    for (const auto* path : {"projects/my-project/locations/us-central1/instances/my-valkey:getCertificateAuthority",
                             "projects/my-project", "nothing"}) {
        const auto response = get(path);
        EXPECT_EQ(response.status, 404U);
        EXPECT_TRUE(response.body.starts_with("<!DOCTYPE html>")) << path;
    }
}

TEST_F(MemorystoreApi, quota_is_60_calls_a_minute_per_project_when_on) {
    state_.quota.limit(true);
    for (int i = 0; i < 60; ++i)
        ASSERT_EQ(get(kName).status, 200U) << i;
    const auto refused = get(kName);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(Json::parse(refused.body), golden("error-429"));
    EXPECT_EQ(get("projects/other/locations/l/instances/i").status, 404U);
    now_ += 60s;
    EXPECT_EQ(get(kName).status, 200U);
}

TEST_F(MemorystoreApi, every_call_is_counted_refused_ones_too) {
    get(kName);
    get(kName, "");
    get(std::string(kName) + "/certificateAuthority");
    get("nothing");
    EXPECT_EQ(state_.calls.count("rest", "instances.get"), 2U);
    EXPECT_EQ(state_.calls.count("rest", "instances.certificateAuthority"), 1U);
    EXPECT_EQ(state_.calls.count("rest", "other"), 1U);
    EXPECT_EQ(state_.calls.total(), 4U);
    EXPECT_EQ(state_.calls.log().at(1).status, 401U);
}

TEST(EnumNumbers, are_those_of_the_published_protocol) {
    const std::vector<std::tuple<std::string, std::string, int>> cases = {
        {"state", "CREATING", 1},
        {"state", "UPDATING", 3},
        {"state", "DELETING", 4},
        {"state", "MIGRATING", 6},
        {"mode", "STANDALONE", 1},
        {"mode", "CLUSTER_DISABLED", 4},
        {"authorizationMode", "AUTH_DISABLED", 1},
        {"authorizationMode", "TOKEN_AUTH", 3},
        {"transitEncryptionMode", "TRANSIT_ENCRYPTION_DISABLED", 1},
        {"serverCaMode", "SERVER_CA_MODE_UNSPECIFIED", 0},
        {"serverCaMode", "GOOGLE_MANAGED_SHARED_CA", 2},
        {"serverCaMode", "CUSTOMER_MANAGED_CAS_CA", 3},
        {"nodeType", "CUSTOM_PICO", 10},
    };
    for (const auto& [field, name, number] : cases)
        EXPECT_EQ(Json::parse(with_enum_numbers(Json{{field, name}}.dump())), (Json{{field, number}})) << name;
    const auto connection = [](const Json& type) {
        return Json{{"endpoints", {{{"connections", {{{"pscConnection", {{"connectionType", type}}}}}}}}}};
    };
    EXPECT_EQ(Json::parse(with_enum_numbers(connection("CONNECTION_TYPE_PRIMARY").dump())), connection(2));
    EXPECT_EQ(Json::parse(with_enum_numbers(connection("CONNECTION_TYPE_READER").dump())), connection(3));
}

TEST(EnumNumbers, of_a_name_that_is_not_published_there_is_none) {
    const Json odd = {{"state", "BRAND_NEW_STATE"}, {"engineVersion", "ACTIVE"}};
    EXPECT_EQ(Json::parse(with_enum_numbers(odd.dump())), odd);
}

TEST(InstanceRecord, a_patch_adds_changes_and_removes_fields) {
    const auto document = merge_instance(recorded_open(), R"({"state": "UPDATING", "endpoints": null,
        "discoveryEndpoints": [{"address": "10.0.0.9", "port": 6379}]})");
    ASSERT_TRUE(document);
    const auto json = Json::parse(*document);
    EXPECT_EQ(json["state"], "UPDATING");
    EXPECT_FALSE(json.contains("endpoints"));
    EXPECT_EQ(json["discoveryEndpoints"][0]["address"], "10.0.0.9");
    EXPECT_EQ(merge_instance("{}", "[]").error().code, ErrorCode::invalid_argument);
}

TEST(InstanceRecord, an_endpoint_is_replaced_by_its_type) {
    const auto document = with_endpoint(recorded_open(), "CONNECTION_TYPE_PRIMARY", "127.0.0.1", 16380);
    const auto connections = Json::parse(document)["endpoints"][0]["connections"];
    EXPECT_EQ(connections[0]["pscAutoConnection"]["ipAddress"], "127.0.0.1");
    EXPECT_EQ(connections[0]["pscAutoConnection"]["port"], 16380);
    EXPECT_EQ(connections[1]["pscAutoConnection"]["ipAddress"], "10.128.0.13");
}

TEST(InstanceRecord, a_name_has_six_parts) {
    EXPECT_EQ(parse_instance_name(kName).value().instance, "my-valkey");
    for (const auto* bad : {"my-valkey", "projects//locations/l/instances/i", "projects/p/locations/l/clusters/c",
                            "projects/p/locations/l/instances/i/more"})
        EXPECT_FALSE(parse_instance_name(bad)) << bad;
}

}  // namespace
}  // namespace cvp::emulator
