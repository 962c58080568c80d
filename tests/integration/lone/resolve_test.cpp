#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/integration/lone/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

TEST_F(LoneProxy, serves_primary_and_readers_however_the_instance_is_named) {
    start_cloud(":valkey,replica");
    struct Spelling {
        std::vector<std::string> arguments;
        std::vector<std::string> env;
    };
    const std::vector<Spelling> spellings = {
        {{"--instance", "my-valkey"}, {}},
        {{"--instance=my-valkey"}, {}},
        {{"-instance", "my-valkey"}, {}},
        {{"-instance=my-valkey"}, {}},
        {{}, {"VALKEY_INSTANCE_NAME=my-valkey"}},
        {{}, {"CVP_INSTANCE=my-valkey"}},
        {{"--instance", kName}, {}},
        {{"-instance", kName}, {}},
        {{}, {std::string("VALKEY_INSTANCE_NAME=") + kName}},
    };
    for (const auto& [arguments, env] : spellings) {
        SCOPED_TRACE((Json{arguments, env}).dump());
        ASSERT_TRUE(cloud().admin("DELETE", "calls"));
        start_proxy(arguments, env);
        expect_answer(kPort, {"PING"}, "+PONG");
        expect_answer(kReadersPort, {"PING"}, "+PONG");
        EXPECT_THAT(ask(kPort, {"INFO", "replication"}), HasSubstr("role:master"));
        EXPECT_THAT(ask(kReadersPort, {"INFO", "replication"}), HasSubstr("role:slave"));
        const auto status = Json::parse(page("/status"));
        EXPECT_EQ(status["connections"][0]["instance"]["fullName"], kName);
        EXPECT_EQ(status["connections"][0]["ports"][0]["upstream"]["tlsVersion"], "TLSv1.3");
        EXPECT_EQ(status["connections"][0]["ports"][0]["upstream"]["verifiedIdentity"], "ip:127.0.0.1");
        EXPECT_EQ(cloud().calls("rest instances.get"), 1u) << "one resolve, however many clients";
        EXPECT_EQ(stop_proxy(), 0);
    }
}

TEST_F(LoneProxy, takes_project_and_region_from_flags_before_the_metadata_server) {
    start_cloud(":valkey", {"--project", "elsewhere", "--cluster-location", "europe-west1"});
    start_proxy({"--instance=my-valkey", "--project=my-project"}, {"CVP_LOCATION=us-central1"});
    expect_answer(kPort, {"PING"}, "+PONG");
}

TEST_F(LoneProxy, takes_its_region_from_the_zone_of_a_plain_vm) {
    start_cloud(":valkey", {"--vm", "--zone", "us-central1-f"});
    start_proxy({"--instance=my-valkey"});
    expect_answer(kPort, {"PING"}, "+PONG");
}

TEST_F(LoneProxy, does_not_open_the_readers_port_of_an_instance_without_readers_and_says_so) {
    start_cloud(":valkey");
    // Memorystore lists a reader's endpoint also where there is no replica; this instance really has none.
    auto record = cloud().admin("GET", std::string("instances/") + kName).value();
    auto& connections = record["endpoints"][0]["connections"];
    for (auto at = connections.begin(); at != connections.end();) {
        const bool is_reader = (*at)["pscAutoConnection"].value("connectionType", "") == "CONNECTION_TYPE_READER";
        at = is_reader ? connections.erase(at) : at + 1;
    }
    ASSERT_TRUE(cloud().admin("PATCH", std::string("instances/") + kName, Json{{"endpoints", record["endpoints"]}}));
    start_proxy({"--instance=my-valkey"});
    expect_answer(kPort, {"PING"}, "+PONG");
    EXPECT_FALSE(is_open(kReadersPort));
    EXPECT_THAT(log(), HasSubstr("the readers' port is not opened"));
}

TEST_F(LoneProxy, answers_clients_with_the_reason_until_the_instance_is_resolved) {
    start_cloud(":valkey");
    ASSERT_TRUE(cloud().admin("POST", "faults/rest", Json{{"status", 403}}));
    start_proxy({"--instance=my-valkey"});
    EXPECT_TRUE(eventually([&] { return ping_bytes(kPort).find("memorystore") != std::string::npos; }, 20s));
    EXPECT_THAT(ping_bytes(kPort), AllOf(StartsWith("-LOADING cloud-valkey-proxy my-valkey: NotResolved: "),
                                         HasSubstr("roles/memorystore."), ::testing::EndsWith("\r\n")));
    EXPECT_THAT(Json::parse(page("/status"))["resolver"]["lastError"], HasSubstr("roles/memorystore."));
    ASSERT_TRUE(cloud().admin("DELETE", "faults"));
    expect_answer(kPort, {"PING"}, "+PONG");
    EXPECT_EQ(stop_proxy(), 0);
}

TEST_F(LoneProxy, outlives_a_cloud_and_a_metadata_server_that_are_away_at_its_start) {
    start_cloud(":valkey");
    ASSERT_TRUE(cloud().admin("PATCH", "metadata", Json{{"down", true}}));
    start_proxy({"--instance=my-valkey"});
    EXPECT_THAT(ping_bytes(kPort), StartsWith("-LOADING cloud-valkey-proxy my-valkey: NotResolved: "));
    ASSERT_TRUE(cloud().admin("POST", "faults/rest", Json{{"status", 503}, {"count", 1}}));
    ASSERT_TRUE(cloud().admin("PATCH", "metadata", Json{{"down", false}}));
    expect_answer(kPort, {"PING"}, "+PONG");
    EXPECT_TRUE(proxy().is_running());
}

TEST_F(LoneProxy, refuses_clients_of_a_cluster_and_never_dials_it) {
    start_cloud(":valkey,mode=cluster");
    start_proxy({"--instance=my-valkey"});
    EXPECT_TRUE(eventually(
        [&] { return ping_bytes(kPort).starts_with("-ERR cloud-valkey-proxy my-valkey: ClusterModeNotSupported: "); }));
    EXPECT_EQ(Json::parse(page("/status"))["connections"][0]["ports"][0]["counters"]["dials"], 0);
}

TEST_F(LoneProxy, finds_an_instance_that_moved_within_a_minute) {
    start_cloud(":valkey");
    start_proxy({"--instance=my-valkey"});
    expect_answer(kPort, {"SET", "key", "value"}, "+OK");
    ASSERT_TRUE(cloud().admin("POST", std::string("instances/") + kName + ":move"));
    EXPECT_TRUE(eventually([&] { return ask(kPort, {"GET", "key"}) == "\"value\""; }, 90s));
    EXPECT_LE(cloud().calls("rest instances.get").value(), 3u) << "at most one a minute";
}

}  // namespace
}  // namespace cvp::test
