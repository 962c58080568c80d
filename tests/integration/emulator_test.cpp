#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/emulator_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kName = "projects/my-project/locations/us-central1/instances/my-valkey";
constexpr auto kRecord = "projects/my-project/locations/us-central1/instances/on-paper";
constexpr auto kWrongPass = "-WRONGPASS invalid username-password pair or user is disabled.";
constexpr auto kTokenPath = "/computeMetadata/v1/instance/service-accounts/default/token";

class EmulatorTest : public ::testing::Test {
protected:
    EmulatorProcess start(std::vector<std::string> arguments) {
        auto emulator = EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path(), arguments);
        if (!emulator) throw std::runtime_error(to_string(emulator.error()));
        return std::move(*emulator);
    }
    EmulatorProcess start_one(const std::string& options = ":valkey") {
        return start({"--instance", kName + options, "--instance", kRecord});
    }

    static http::Response ask_metadata(const EmulatorProcess& emulator, const std::string& target) {
        http::Request request;
        request.target = target;
        request.headers.set("Metadata-Flavor", "Google");
        const auto port = std::stoi(emulator.metadata_host().substr(emulator.metadata_host().rfind(':') + 1));
        auto response = http_call("127.0.0.1", static_cast<std::uint16_t>(port), request);
        if (!response) throw std::runtime_error(to_string(response.error()));
        return std::move(*response);
    }
    static std::string token_of(const EmulatorProcess& emulator) {
        return Json::parse(ask_metadata(emulator, kTokenPath).body).at("access_token");
    }
    static http::Response ask_rest(const EmulatorProcess& emulator, const std::string& token,
                                   const std::string& path = kName) {
        http::Request request;
        request.target = "/v1/" + path;
        request.headers.set("Authorization", "Bearer " + token);
        const auto port = std::stoi(emulator.rest_base().substr(emulator.rest_base().rfind(':') + 1));
        auto response = http_call("127.0.0.1", static_cast<std::uint16_t>(port), request);
        if (!response) throw std::runtime_error(to_string(response.error()));
        return std::move(*response);
    }
    /// The connection of that type, and the trusted CAs, as a client of the API learns them.
    struct Resolved {
        std::string host;
        std::uint16_t port = 0;
        std::string cas;
    };
    static Resolved resolve(const EmulatorProcess& emulator, const std::string& token,
                            const std::string& type = "CONNECTION_TYPE_PRIMARY") {
        Resolved resolved;
        const auto instance = Json::parse(ask_rest(emulator, token).body);
        for (const auto& connection : instance.at("endpoints").at(0).at("connections"))
            if (connection.at("pscAutoConnection").value("connectionType", "") == type) {
                resolved.host = connection["pscAutoConnection"]["ipAddress"];
                resolved.port = connection["pscAutoConnection"]["port"];
            }
        const auto cas = Json::parse(ask_rest(emulator, token, std::string(kName) + "/certificateAuthority").body);
        for (const auto& chain : cas.at("managedServerCa").at("caCerts"))
            for (const auto& pem : chain.at("certificates"))
                resolved.cas += pem.get<std::string>();
        return resolved;
    }
    static Result<RespClient> dial(const Resolved& resolved) {
        TlsClientSettings settings;
        settings.ca_pem = resolved.cas;
        settings.identity = resolved.host;
        return RespClient::connect_tls(resolved.host, resolved.port, settings);
    }
    static std::string ask(RespClient& client, const std::vector<std::string>& words) {
        const auto reply = client.command(words);
        return reply ? to_string(*reply) : to_string(reply.error());
    }

    TempDir dir_;
};

TEST_F(EmulatorTest, a_minted_token_logs_in_at_the_instance_that_the_api_describes) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    const auto resolved = resolve(emulator, token);
    EXPECT_EQ(resolved.host, "127.0.0.1");
    EXPECT_EQ(resolved.port, emulator.instance(kName).port);
    auto client = dial(resolved);
    ASSERT_TRUE(client) << to_string(client.error());
    EXPECT_EQ(ask(*client, {"PING"}), "-NOAUTH Authentication required.");
    EXPECT_EQ(ask(*client, {"AUTH", "ya29.c.guessed"}), kWrongPass);
    EXPECT_EQ(ask(*client, {"AUTH", token}), "+OK");
    auto named = dial(resolved);
    ASSERT_TRUE(named);
    EXPECT_EQ(ask(*named, {"AUTH", "default", token}), "+OK");
    EXPECT_EQ(ask(*named, {"AUTH", "somebody", token}), kWrongPass);
    EXPECT_EQ(emulator.command(kName, {"CONFIG", "GET", "port"}).value(), Json({"port", "0"}));
}

TEST_F(EmulatorTest, an_expired_token_is_refused_everywhere_while_its_live_session_goes_on) {
    const auto emulator = start_one();
    const auto old_token = token_of(emulator);
    const auto resolved = resolve(emulator, old_token);
    auto session = dial(resolved);
    ASSERT_TRUE(session);
    ASSERT_EQ(ask(*session, {"AUTH", old_token}), "+OK");
    ASSERT_TRUE(emulator.admin("POST", "tokens:expire"));
    EXPECT_EQ(ask_rest(emulator, old_token).status, 401U);
    auto late = dial(resolved);
    ASSERT_TRUE(late);
    EXPECT_EQ(ask(*late, {"AUTH", old_token}), kWrongPass);
    EXPECT_EQ(ask(*late, {"AUTH", token_of(emulator)}), "+OK");
    EXPECT_EQ(ask(*session, {"PING"}), "+PONG");
}

TEST_F(EmulatorTest, a_token_ends_by_itself_when_its_time_is_over) {
    const auto emulator = start_one();
    const auto token = emulator.mint(1s).value();
    const auto resolved = resolve(emulator, token_of(emulator));
    auto client = dial(resolved);
    ASSERT_TRUE(client);
    ASSERT_EQ(ask(*client, {"AUTH", token}), "+OK");
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    std::string answer = "+OK";
    while (answer == "+OK" && std::chrono::steady_clock::now() < deadline)
        answer = ask(*client, {"AUTH", token});
    EXPECT_EQ(answer, kWrongPass);
}

TEST_F(EmulatorTest, the_instance_moves_to_another_port_with_its_data) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    const auto before = resolve(emulator, token);
    ASSERT_EQ(emulator.command(kName, {"SET", "k", "v"}).value(), Json("OK"));
    ASSERT_TRUE(emulator.admin("POST", std::string("instances/") + kName + ":move"));
    const auto after = resolve(emulator, token);
    EXPECT_NE(after.port, before.port);
    EXPECT_FALSE(dial(before));
    auto client = dial(after);
    ASSERT_TRUE(client) << to_string(client.error());
    EXPECT_EQ(ask(*client, {"AUTH", token}), "+OK");
    EXPECT_EQ(ask(*client, {"GET", "k"}), "\"v\"");
}

TEST_F(EmulatorTest, the_ca_rotates_with_both_listed_or_only_the_new_one) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    const auto before = resolve(emulator, token);
    const auto path = std::string("instances/") + kName + ":rotateCa";
    ASSERT_TRUE(emulator.admin("POST", path));
    const auto both = resolve(emulator, token);
    EXPECT_TRUE(both.cas.starts_with(before.cas));
    EXPECT_GT(both.cas.size(), before.cas.size());
    EXPECT_TRUE(dial(both));
    EXPECT_EQ(dial(before).error().code, ErrorCode::tls_failed);
    ASSERT_TRUE(emulator.admin("POST", path, Json{{"keepOld", false}}));
    const auto only = resolve(emulator, token);
    EXPECT_EQ(only.cas.find(before.cas), std::string::npos);
    EXPECT_TRUE(dial(only));
}

TEST_F(EmulatorTest, shows_certificates_that_a_careful_client_refuses) {
    const auto emulator = start_one();
    const auto resolved = resolve(emulator, token_of(emulator));
    const auto path = std::string("instances/") + kName + ":certificate";
    for (const auto& wrong :
         {Json{{"leaf", "expired"}}, Json{{"leaf", "not-yet-valid"}}, Json{{"leaf", "other-identity"}},
          Json{{"leaf", "common-name"}}, Json{{"foreignCa", true}}}) {
        ASSERT_TRUE(emulator.admin("POST", path, wrong));
        const auto client = dial(resolved);
        ASSERT_FALSE(client) << wrong;
        EXPECT_EQ(client.error().code, ErrorCode::tls_failed);
        ASSERT_TRUE(emulator.admin("POST", path));
        EXPECT_TRUE(dial(resolved)) << wrong;
    }
}

TEST_F(EmulatorTest, a_replica_is_the_reader_on_an_address_of_its_own) {
    const auto emulator = start_one(":valkey,replica");
    const auto token = token_of(emulator);
    const auto resolved = resolve(emulator, token, "CONNECTION_TYPE_READER");
    EXPECT_EQ(resolved.host, "127.0.0.2");
    auto reader = dial(resolved);
    ASSERT_TRUE(reader) << to_string(reader.error());
    EXPECT_EQ(ask(*reader, {"AUTH", token}), "+OK");
    for (const bool moved : {false, true}) {
        if (moved) {
            ASSERT_TRUE(emulator.admin("POST", std::string("instances/") + kName + ":move"));
        }
        ASSERT_EQ(emulator.command(kName, {"SET", "k", moved ? "w" : "v"}).value(), Json("OK"));
        ASSERT_EQ(emulator.command(kName, {"WAIT", "1", "10000"}).value(), Json(1));
        EXPECT_EQ(ask(*reader, {"GET", "k"}), moved ? "\"w\"" : "\"v\"");
    }
}

TEST_F(EmulatorTest, without_a_replica_the_reader_is_listed_and_refuses_or_is_the_primary) {
    const auto emulator = start_one();
    const auto refused = dial(resolve(emulator, token_of(emulator), "CONNECTION_TYPE_READER"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    const TempDir other_dir;
    const auto generous = EmulatorProcess::start(CVP_EMULATOR_BINARY, other_dir.path(),
                                                 {"--instance", std::string(kName) + ":valkey,reader=primary"});
    ASSERT_TRUE(generous) << to_string(generous.error());
    EXPECT_TRUE(dial(resolve(*generous, token_of(*generous), "CONNECTION_TYPE_READER")));
}

TEST_F(EmulatorTest, an_instance_without_a_valkey_is_a_record_that_can_be_changed) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    EXPECT_EQ(Json::parse(ask_rest(emulator, token, kRecord).body).at("state"), "ACTIVE");
    ASSERT_TRUE(emulator.admin("PATCH", std::string("instances/") + kRecord,
                               Json{{"mode", "CLUSTER"}, {"state", "BRAND_NEW_STATE"}, {"endpoints", nullptr}}));
    const auto changed = Json::parse(ask_rest(emulator, token, kRecord).body);
    EXPECT_EQ(changed.at("mode"), "CLUSTER");
    EXPECT_EQ(changed.at("state"), "BRAND_NEW_STATE");
    EXPECT_FALSE(changed.contains("endpoints"));
    ASSERT_TRUE(emulator.admin("DELETE", std::string("instances/") + kRecord));
    EXPECT_EQ(ask_rest(emulator, token, kRecord).status, 404U);
}

TEST_F(EmulatorTest, a_valkey_follows_its_record_to_no_authentication_and_no_tls) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    const auto path = std::string("instances/") + kName;
    ASSERT_TRUE(emulator.admin("PATCH", path, Json{{"authorizationMode", "AUTH_DISABLED"}}));
    auto open = dial(resolve(emulator, token));
    ASSERT_TRUE(open);
    EXPECT_EQ(ask(*open, {"PING"}), "+PONG");
    ASSERT_TRUE(emulator.admin("PATCH", path, Json{{"transitEncryptionMode", "TRANSIT_ENCRYPTION_DISABLED"}}));
    auto plain = RespClient::connect("127.0.0.1", emulator.instance(kName).port);
    ASSERT_TRUE(plain);
    EXPECT_EQ(ask(*plain, {"PING"}), "+PONG");
}

TEST_F(EmulatorTest, faults_hit_rest_and_metadata_apart_and_every_call_is_counted) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    ASSERT_TRUE(emulator.admin("POST", "faults/rest", Json{{"status", 503}, {"count", 2}}));
    EXPECT_EQ(ask_rest(emulator, token).status, 503U);
    EXPECT_EQ(ask_rest(emulator, token).status, 503U);
    EXPECT_EQ(ask_rest(emulator, token).status, 200U);
    ASSERT_TRUE(emulator.admin("POST", "faults/metadata", Json{{"status", 403}}));
    EXPECT_EQ(ask_metadata(emulator, kTokenPath).status, 403U);
    EXPECT_EQ(ask_rest(emulator, token).status, 200U);
    ASSERT_TRUE(emulator.admin("DELETE", "faults/metadata"));
    EXPECT_EQ(ask_metadata(emulator, kTokenPath).status, 200U);
    EXPECT_EQ(emulator.calls("rest instances.get").value(), 4U);
    EXPECT_EQ(emulator.calls("metadata instance/service-accounts/default/token").value(), 3U);
    ASSERT_TRUE(emulator.admin("DELETE", "calls"));
    EXPECT_EQ(emulator.calls("rest instances.get").value(), 0U);
}

TEST_F(EmulatorTest, answers_late_when_told_to) {
    const auto emulator = start_one();
    ASSERT_TRUE(emulator.admin("POST", "faults/metadata", Json{{"delayMs", 300}}));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(ask_metadata(emulator, kTokenPath).status, 200U);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);
}

TEST_F(EmulatorTest, the_metadata_server_goes_down_and_comes_back_on_its_port) {
    const auto emulator = start_one();
    const auto port =
        static_cast<std::uint16_t>(std::stoi(emulator.metadata_host().substr(emulator.metadata_host().rfind(':') + 1)));
    ASSERT_TRUE(emulator.admin("PATCH", "metadata", Json{{"down", true}}));
    const auto refused = http_get("127.0.0.1", port, "/");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    ASSERT_TRUE(emulator.admin("PATCH", "metadata", Json{{"down", false}, {"email", "my-project.svc.id.goog"}}));
    EXPECT_EQ(ask_metadata(emulator, "/computeMetadata/v1/instance/service-accounts/default/email").body,
              "my-project.svc.id.goog");
}

TEST_F(EmulatorTest, its_valkey_dies_freezes_and_comes_back) {
    const auto emulator = start_one();
    const auto token = token_of(emulator);
    const auto resolved = resolve(emulator, token);
    const auto path = std::string("instances/") + kName;
    ASSERT_TRUE(emulator.admin("POST", path + ":kill"));
    EXPECT_FALSE(dial(resolved));
    ASSERT_TRUE(emulator.admin("POST", path + ":start"));
    auto client = dial(resolved);
    ASSERT_TRUE(client);
    EXPECT_EQ(ask(*client, {"AUTH", token}), "+OK");
    ASSERT_TRUE(emulator.admin("POST", path + ":pause"));
    EXPECT_EQ(client->command({"PING"}, 100ms).error().code, ErrorCode::timeout);
    ASSERT_TRUE(emulator.admin("POST", path + ":resume"));
    EXPECT_EQ(to_string(client->read_reply().value()), "+PONG");
}

TEST_F(EmulatorTest, refuses_what_it_does_not_understand) {
    const auto emulator = start_one();
    for (const auto& [method, path, body] : {std::tuple{"POST", "faults/rest", Json{{"statsu", 503}}},
                                             {"POST", "faults/valkey", Json{{"status", 503}}},
                                             {"PATCH", "metadata", Json{{"down", "yes"}}},
                                             {"POST", "nothing", Json::object()},
                                             {"DELETE", "state", Json()},
                                             {"POST", "instances/projects/p/locations/l/instances/i:move", Json()}})
        EXPECT_FALSE(emulator.admin(method, path, body)) << method << " " << path;
    EXPECT_TRUE(emulator.admin("GET", "state").value()["faults"]["rest"].empty());
}

TEST_F(EmulatorTest, serves_the_api_over_tls_where_told_so) {
    const auto emulator = start({"--https", "--instance", kRecord});
    const auto port =
        static_cast<std::uint16_t>(std::stoi(emulator.rest_base().substr(emulator.rest_base().rfind(':') + 1)));
    EXPECT_TRUE(emulator.rest_base().starts_with("https://127.0.0.1:"));
    for (const auto* identity : {"127.0.0.1", "memorystore.googleapis.com"}) {
        auto stream = ByteStream::connect_tcp("127.0.0.1", port, 10s);
        ASSERT_TRUE(stream);
        TlsClientSettings settings;
        settings.ca_pem = read_file(dir_.path() / "api-ca.crt");
        settings.identity = identity;
        const auto ready = stream->start_tls(settings, 10s);
        EXPECT_TRUE(ready) << identity << ": " << to_string(ready.error());
    }
}

TEST_F(EmulatorTest, sigterm_ends_it_and_its_valkeys) {
    auto emulator = start_one(":valkey,replica");
    const auto state = emulator.admin("GET", "state").value();
    const auto serving = state["instances"][kName]["serving"];
    emulator.process().signal(SIGTERM);
    EXPECT_EQ(emulator.process().wait(10s), 0);
    for (const auto* node : {"primary", "reader"})
        EXPECT_NE(::kill(serving[node]["pid"].get<pid_t>(), 0), 0) << node;
    EXPECT_EQ(Json::parse(read_file(dir_.path() / "ready.json")).at("rest"), emulator.rest_base());
}

TEST_F(EmulatorTest, an_instance_with_a_front_is_reached_through_it_and_shows_its_own_certificates) {
    const auto emulator = start_one(":valkey,front");
    const auto token = token_of(emulator);
    auto resolved = resolve(emulator, token);
    EXPECT_EQ(resolved.port, emulator.instance(kName).port);
    const auto front = "fronts/" + std::string(kName);
    EXPECT_EQ(emulator.admin("GET", front)->at("port"), resolved.port);
    EXPECT_NE(emulator.command(kName, {"CONFIG", "GET", "tls-port"})->at(1), std::to_string(resolved.port));
    auto client = dial(resolved);
    ASSERT_TRUE(client) << to_string(client.error());
    EXPECT_EQ(ask(*client, {"AUTH", "ya29.c.guessed"}), kWrongPass);
    EXPECT_EQ(ask(*client, {"AUTH", token}), "+OK");
    EXPECT_EQ(emulator.admin("GET", front)->at("logins").at("passed"), 1);
    EXPECT_EQ(emulator.admin("GET", front)->at("logins").at("invalid"), 1);

    ASSERT_TRUE(emulator.admin("POST", "instances/" + std::string(kName) + ":rotateCa", {{"keepOld", false}}));
    EXPECT_FALSE(dial(resolved)) << "the front shows the new leaf, too";
    resolved = resolve(emulator, token);
    EXPECT_TRUE(dial(resolved));
    ASSERT_TRUE(emulator.admin("POST", "instances/" + std::string(kName) + ":move"));
    EXPECT_EQ(client->read_to_end().value_or("reset"), "");
    EXPECT_FALSE(dial(resolved));
    resolved = resolve(emulator, token);
    auto moved = dial(resolved);
    ASSERT_TRUE(moved) << to_string(moved.error());
    EXPECT_EQ(ask(*moved, {"AUTH", token}), "+OK");
    ASSERT_TRUE(emulator.admin("POST", "tokens:expire"));
    EXPECT_EQ(ask(*moved, {"AUTH", token}), kWrongPass);
    EXPECT_EQ(emulator.admin("GET", front)->at("logins").at("invalid"), 2);
}

TEST_F(EmulatorTest, login_faults_are_set_counted_and_healed_by_the_admin_api) {
    const auto emulator = start_one(":valkey,front");
    const auto token = token_of(emulator);
    const auto front = "fronts/" + std::string(kName);
    auto client = dial(resolve(emulator, token));
    ASSERT_TRUE(client) << to_string(client.error());
    ASSERT_TRUE(emulator.admin("POST", front + ":fault", {{"answer", "ERR_IAM_OTHER"}, {"count", 1}}));
    ASSERT_TRUE(emulator.admin("POST", front + ":fault", {{"answer", "WRONGPASS"}, {"turn", "first"}, {"delayMs", 1}}));
    EXPECT_EQ(emulator.admin("GET", front)->at("faults").size(), 2u);
    EXPECT_EQ(ask(*client, {"AUTH", token}), "-ERR (ERR_IAM_OTHER) Memorystore IAM authentication backend error.");
    EXPECT_EQ(ask(*client, {"AUTH", token}), "-WRONGPASS invalid username-password pair or user is disabled");
    ASSERT_TRUE(emulator.admin("POST", front + ":heal"));
    EXPECT_EQ(ask(*client, {"AUTH", token}), "+OK");
    ASSERT_TRUE(emulator.admin("POST", front + ":age", {{"ms", 200}, {"prolonged", false}}));
    EXPECT_EQ(client->read_to_end().value_or("reset"), "");
    // Its client sees the end before the front has put the connection away.
    ASSERT_TRUE(eventually([&] { return emulator.admin("GET", front)->at("connections").at("open") == 0; }));
    const auto state = emulator.admin("GET", front).value();
    EXPECT_EQ(state.at("connections").at("cutByAge"), 1);
    EXPECT_EQ(state.at("logins").at("refused"), 2);
    EXPECT_EQ(state.at("logins").at("delayed"), 1);
    EXPECT_EQ(state.at("logins").at("seen"), 3);
    EXPECT_EQ(emulator.admin("GET", "state")->at("instances").at(kName).at("serving").at("front"), state);

    for (const auto& [path, body] :
         std::vector<std::pair<std::string, Json>>{{front + ":fault", {{"answer", "NOAUTH"}}},
                                                   {front + ":fault", {{"turn", "second"}}},
                                                   {front + ":fault", {{"seconds", 1}}},
                                                   {front + ":age", {{"ms", "x"}}},
                                                   {front + ":stop", Json::object()},
                                                   {"fronts/" + std::string(kRecord) + ":heal", Json::object()}})
        EXPECT_FALSE(emulator.admin("POST", path, body)) << path << body;
}

TEST_F(EmulatorTest, a_front_alone_stands_before_any_server) {
    ValkeyOptions options;
    std::filesystem::create_directories(dir_.path() / "server");
    options.dir = dir_.path() / "server";
    options.passwords = {Secret("its-own-password")};
    auto server = ValkeyServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());
    const auto address = "127.0.0.1:" + std::to_string(server->port());
    const auto emulator = start({"--front", address, "--front", address + ",plain"});
    TlsClientSettings settings;
    settings.ca_pem = read_file(emulator.front("front-1").ca_file);
    settings.identity = "127.0.0.1";
    auto client = RespClient::connect_tls("127.0.0.1", emulator.front("front-1").port, settings);
    ASSERT_TRUE(client) << to_string(client.error());
    EXPECT_EQ(ask(*client, {"AUTH", "its-own-password"}), "+OK");
    ASSERT_TRUE(emulator.admin("POST", "fronts/front-2:fault", {{"answer", "WRONGPASS"}}));
    EXPECT_EQ(ask(*client, {"AUTH", "its-own-password"}), "+OK");
    auto plain = RespClient::connect("127.0.0.1", emulator.front("front-2").port);
    ASSERT_TRUE(plain) << to_string(plain.error());
    EXPECT_EQ(ask(*plain, {"AUTH", "its-own-password"}),
              "-WRONGPASS invalid username-password pair or user is disabled");
    EXPECT_EQ(emulator.admin("GET", "state")->at("fronts").at("front-1").at("logins").at("passed"), 2);
}

}  // namespace
}  // namespace cvp::test
