// Servers of one's own beyond the usual (whole_system_test.cpp): without TLS, and moved by an edit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/whole_system.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

/// A Valkey with a password and without TLS.
ValkeyServer start_server(const TempDir& dir) {
    ValkeyOptions options;
    options.dir = dir.path();
    options.passwords.emplace_back("open-sesame");
    auto started = ValkeyServer::start(std::move(options));
    if (!started) throw std::runtime_error(to_string(started.error()));
    return std::move(*started);
}

json spec_of(const ValkeyServer& server) {
    const auto address = "127.0.0.1:" + std::to_string(server.port());
    return {{"instance", {{"endpoints", {{"addresses", json::array({address})}, {"tls", "Disabled"}}}}}};
}

/// The connection, its Secret and a pod whose sidecar has started.
void run_pod_with(WholeSystem& system, const json& spec) {
    system.create({{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata", {{"name", "cloudvalkey-sessions"}}},
                   {"stringData", {{"password", "open-sesame"}}}});
    system.create({{"apiVersion", "cloudvalkey.dev/v1alpha1"},
                   {"kind", "ValkeyConnection"},
                   {"metadata", {{"name", "sessions"}}},
                   {"spec", spec}});
    system.await_connection();
    system.create_pod();
    system.run_pod();
    system.await_sidecar_started();
}

TEST(SelfHosted, serves_a_server_without_tls) {
    const TempDir dir("cvp-self-hosted");
    const auto server = start_server(dir);
    WholeSystem system;
    run_pod_with(system, spec_of(server));
    EXPECT_EQ(system.ask({"PING"}), "+PONG");
    EXPECT_EQ(system.cloud_calls(), 0u);
}

TEST(SelfHosted, follows_an_edit_of_the_address) {
    const TempDir first_dir("cvp-self-hosted");
    const TempDir second_dir("cvp-self-hosted");
    const auto first = start_server(first_dir);
    auto second = start_server(second_dir);
    ASSERT_TRUE(second.admin({"SET", "who", "second"}));
    WholeSystem system;
    run_pod_with(system, spec_of(first));
    EXPECT_EQ(system.ask({"GET", "who"}), "(null)");

    const json patch{{"spec", spec_of(second)}};
    system.edit_connection(patch);
    EXPECT_TRUE(eventually([&] { return system.ask({"GET", "who"}) == "\"second\""; }));
    EXPECT_EQ(system.sidecar_status()["restartCount"], 0);
}

}  // namespace
}  // namespace cvp::test
