// The main job on real parts: both programs' own binaries, a real API server and a real Valkey with TLS and IAM.

#include "tests/kubernetes/whole_system.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

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
