// The main job on real parts: both programs' own binaries, a real API server and a real Valkey with TLS and IAM.

#include "tests/kubernetes/whole_system.hpp"

#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr auto kCrd = "crds/cloudvalkey.dev_valkeyconnections.yaml";
const std::string kReconciled = R"(controller_runtime_reconcile_total{controller="valkeyconnection",result=)";

TEST(WholeSystem, a_pod_that_comes_before_its_connection_waits_for_it) {
    WholeSystem system;
    system.create_pod();
    system.run_pod();
    ASSERT_TRUE(eventually([&] { return system.sidecar_status()["state"].contains("waiting"); }));
    EXPECT_FALSE(system.sidecar_status().value("started", false));

    system.create_connection();
    system.await_sidecar_started();
    EXPECT_EQ(system.ask({"SET", "greeting", "hello"}), "+OK");
    EXPECT_EQ(system.ask({"GET", "greeting"}), "\"hello\"");
    EXPECT_EQ(system.sidecar_status()["restartCount"], 0);
}

TEST(WholeSystem, a_moved_instance_is_followed_by_the_running_sidecar) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    system.create_pod();
    system.run_pod();
    system.await_sidecar_started();
    ASSERT_EQ(system.ask({"PING"}), "+PONG");
    const auto peer = [&] { return system.sidecar_page()["connections"][0]["ports"][0]["upstream"]["peer"]; };
    const auto old_peer = peer();

    const auto moved = system.emulator().admin("POST", std::string("instances/") + WholeSystem::kInstance + ":move");
    ASSERT_TRUE(moved) << to_string(moved.error());
    system.annotate_connection("cloudvalkey.dev/refresh=moved");
    ASSERT_TRUE(eventually([&] { return peer() != old_peer && system.ask({"PING"}) == "+PONG"; }));
    EXPECT_EQ(system.connection()["status"]["resolved"]["endpoint"], peer());
    EXPECT_EQ(system.ask({"SET", "after", "the move"}), "+OK");
    EXPECT_EQ(system.sidecar_status()["restartCount"], 0);
}

TEST(WholeSystem, what_the_spec_says_of_clients_reaches_the_document_by_an_edit) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    const auto document = [&] { return system.config_map()["data"].value("connection.yaml", ""); };
    EXPECT_THAT(document(), HasSubstr("\nproxy:\n  clientAuth: Accept\n  connectHold: \"1s500ms\"\n"));
    const json proxy{{"clientAuth", "Require"}, {"connectHold", "2s"}, {"maxConnections", 7}};
    system.edit_connection({{"spec", {{"proxy", proxy}}}});
    EXPECT_TRUE(eventually([&] {
        const auto text = document();
        return text.find("clientAuth: Require\n  connectHold: \"2s\"\n  warmSpares: 1\n  maxConnections: 7\n") !=
               std::string::npos;
    })) << document();
}

TEST(WholeSystem, a_unix_socket_is_served_where_the_injection_mounts_it) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    system.create_pod({{"cloudvalkey.dev/unix-socket", "true"}});
    system.run_pod();
    system.await_sidecar_started();
    const auto socket = system.in_sidecar("/run/cloudvalkey/sessions.sock");
    auto client = RespClient::connect_unix(socket);
    ASSERT_TRUE(client) << to_string(client.error());
    const auto reply = client->command({"SET", "greeting", "by the socket"});
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_EQ(to_string(*reply), "+OK");
    EXPECT_EQ(system.ask({"GET", "greeting"}), "\"by the socket\"");
    EXPECT_EQ(std::filesystem::status(socket).permissions(), std::filesystem::perms(0666))
        << "the application's user is another one";
    EXPECT_EQ(system.sidecar_page()["connections"][0]["ports"][0]["unixSocket"], "/run/cloudvalkey/sessions.sock");
}

TEST(WholeSystem, a_running_pod_goes_on_after_its_connection_or_the_crd_is_deleted) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    system.create_pod();
    system.run_pod();
    system.await_sidecar_started();
    ASSERT_EQ(system.ask({"SET", "greeting", "hello"}), "+OK");
    // The first client may be served by a spare connection; the second one needs a new login.
    const auto expect_service = [&] {
        ASSERT_TRUE(system.emulator().admin("POST", "tokens:expire"));
        for (int client = 0; client < 2; ++client)
            EXPECT_EQ(system.ask({"GET", "greeting"}), "\"hello\"");
        EXPECT_EQ(system.sidecar_status()["restartCount"], 0);
    };

    system.delete_connection();
    ASSERT_TRUE(eventually([&] { return !system.has_config_map(); })) << "garbage collection";
    expect_service();

    system.create_connection();
    system.await_connection();
    ASSERT_TRUE(control_plane().kubectl({"delete", "crd", "valkeyconnections.cloudvalkey.dev"}));
    const bool is_collected = eventually([&] { return !system.has_config_map(); });
    expect_service();
    ASSERT_TRUE(control_plane().kubectl({"create", "--filename=-"}, read_source(kCrd)));  // other tests need it
    ASSERT_TRUE(control_plane().kubectl(
        {"wait", "crd/valkeyconnections.cloudvalkey.dev", "--for=condition=Established", "--timeout=20s"}));
    EXPECT_TRUE(is_collected);
}

TEST(WholeSystem, a_killed_sidecar_is_started_again_and_told_of_in_the_status) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    system.create_pod();
    system.run_pod();
    system.await_sidecar_started();
    system.kill_sidecar();
    ASSERT_TRUE(eventually([&] { return system.sidecar_status()["restartCount"] == 1; }));
    const auto pods = [&] { return system.connection()["status"].value("pods", json::object()); };
    ASSERT_TRUE(eventually([&] { return pods().contains("lastFailure") && pods()["summary"] == "1/1"; }, 40s))
        << pods().dump();
    const auto failure = pods()["lastFailure"];
    EXPECT_EQ(failure["pod"], "shop");
    EXPECT_EQ(failure["reason"], "Error");
    EXPECT_EQ(failure["time"], system.sidecar_status()["lastState"]["terminated"]["finishedAt"]);
    EXPECT_EQ(system.ask({"PING"}), "+PONG");
}

TEST(WholeSystem, an_operators_restart_writes_nothing_and_asks_the_cloud_nothing) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    EXPECT_EQ(system.stop_operator(), 0);
    const auto versions = system.versions();
    const auto calls = system.cloud_calls();
    EXPECT_EQ(calls, 2U);

    system.start_operator();
    ASSERT_TRUE(eventually([&] { return system.operator_metric(kReconciled + R"("requeue_after"})") >= 1; }))
        << "the new operator has looked at the connection";
    EXPECT_EQ(system.versions(), versions);
    EXPECT_EQ(system.cloud_calls(), calls);
}

TEST(WholeSystem, a_self_hosted_server_is_reached_with_the_secrets_password_and_ca) {
    const TempDir dir;
    const TestCa ca("the server's own CA");
    ValkeyOptions options;
    options.dir = dir.path();
    options.tls = ca.valkey();
    options.passwords = {Secret("a-password")};
    const auto server = ValkeyServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());

    WholeSystem system;
    system.create({{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata", {{"name", "cloudvalkey-sessions"}}},
                   {"stringData", {{"password", "a-password"}, {"ca.crt", ca.pem()}}}});
    const json endpoints{{"addresses", {"127.0.0.1:" + std::to_string(server->port())}}};
    system.create({{"apiVersion", "cloudvalkey.dev/v1alpha1"},
                   {"kind", "ValkeyConnection"},
                   {"metadata", {{"name", "sessions"}}},
                   {"spec", {{"instance", {{"endpoints", endpoints}}}}}});
    system.await_connection();
    system.create_pod();
    system.run_pod();
    system.await_sidecar_started();
    EXPECT_EQ(system.ask({"SET", "greeting", "hello"}), "+OK");
    EXPECT_EQ(system.ask({"GET", "greeting"}), "\"hello\"");
    EXPECT_EQ(system.cloud_calls(), 0U);
    const auto counted = [&] { return system.connection()["status"]["pods"].value("summary", ""); };
    EXPECT_TRUE(eventually([&] { return counted() == "1/1"; }, 30s)) << counted();
}

TEST(WholeSystem, every_metric_of_the_operator_is_documented) {
    WholeSystem system;
    system.create_connection();
    system.await_connection();
    const auto manual = read_source("docs/metrics.md");
    std::istringstream lines(system.operator_metrics());
    int seen = 0;
    for (std::string hash, word, name, kind, line; std::getline(lines, line);) {
        if (!(std::istringstream(line) >> hash >> word >> name >> kind) || hash != "#" || word != "TYPE") continue;
        if (name.starts_with("process_")) continue;
        ++seen;
        EXPECT_THAT(manual, HasSubstr("| `" + name + "` | " + kind + " |"));
    }
    EXPECT_GE(seen, 12);
}

TEST(WholeSystem, shows_no_token_anywhere) {
    WholeSystem system;
    system.create_connection();
    system.create_pod();
    system.run_pod();
    system.await_sidecar_started();
    ASSERT_EQ(system.ask({"PING"}), "+PONG");
    // Tokens are in play where things fail, too: an expired login, a refusal by the cloud.
    ASSERT_TRUE(system.emulator().admin("POST", "tokens:expire"));
    ASSERT_EQ(system.ask({"PING"}), "+PONG");
    ASSERT_TRUE(system.emulator().admin("POST", "faults/rest", {{"status", 403}}));
    system.annotate_connection("cloudvalkey.dev/refresh=refused");
    ASSERT_TRUE(eventually([&] { return system.connection().dump().find("PermissionDenied") != std::string::npos; }));
    const auto evidence = system.evidence();
    ASSERT_TRUE(system.emulator().admin("DELETE", "faults"));

    auto all = evidence;
    all.push_back(system.resolve());
    const auto tokens = system.emulator().tokens();
    ASSERT_TRUE(tokens);
    EXPECT_GE(tokens->size(), 2U) << "one that expired, and the one after it";
    for (const auto& piece : all)
        EXPECT_GT(piece.text.size(), 20U) << piece.name << " says nothing: the search would prove nothing";
    for (const auto& leak : find_leaks(all, *tokens))
        ADD_FAILURE() << leak;
    EXPECT_THAT(all.back().text, HasSubstr("kind: ResolvedConnection"));
}

}  // namespace
}  // namespace cvp::test
