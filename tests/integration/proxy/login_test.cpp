// Tokens come and go, the metadata server too: new connections log in with what is good at that moment.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/proxy/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kTokenCalls = "metadata instance/service-accounts/default/token";
constexpr auto kNoToken = "-LOADING cloud-valkey-proxy sessions: NoToken: ";

class ProxyLoginTest : public ProxyFixture {
protected:
    void disturb_metadata(const Json& fault) { ASSERT_TRUE(emulator().admin("POST", "faults/metadata", fault)); }
    void set_metadata(const Json& settings) { ASSERT_TRUE(emulator().admin("PATCH", "metadata", settings)); }
    void heal_metadata() { ASSERT_TRUE(emulator().admin("DELETE", "faults/metadata")); }
};

TEST_F(ProxyLoginTest, a_client_without_tls_and_token_is_served_as_by_a_plain_valkey) {
    write(document());
    start_proxy();
    await_login();
    EXPECT_EQ(ask({"SET", "k", "v"}), "+OK");
    EXPECT_EQ(ask({"GET", "k"}), "\"v\"");
    EXPECT_EQ(emulator().command(kInstance, {"GET", "k"}).value(), Json("v"));
    // The server would not have had it without the login.
    TlsClientSettings tls;
    tls.ca_pem = document().tls.ca;
    auto direct = RespClient::connect_tls("127.0.0.1", emulator().instance(kInstance).port, tls);
    ASSERT_TRUE(direct) << to_string(direct.error());
    EXPECT_EQ(to_string(direct->command({"PING"}).value()), kNoAuth);
}

TEST_F(ProxyLoginTest, after_a_token_expired_new_connections_log_in_with_a_fresh_one) {
    auto spareless = document();
    spareless.proxy.warm_spares = 0;  // one would serve the new client with the login that it has
    write(spareless);
    start_proxy();
    await_login();
    auto session = proxy().connect().value();
    ASSERT_EQ(to_string(session.command({"PING"}).value()), "+PONG");
    const auto calls = emulator().calls(kTokenCalls).value();
    ASSERT_TRUE(emulator().admin("POST", "tokens:expire"));

    EXPECT_TRUE(answers_pong_within(30s));
    EXPECT_GT(emulator().calls(kTokenCalls).value(), calls);
    EXPECT_EQ(to_string(session.command({"PING"}).value()), "+PONG") << "the live session went on";
    EXPECT_TRUE(proxy().process().is_running());
}

TEST_F(ProxyLoginTest, a_token_that_runs_out_is_replaced_before_it_does) {
    set_metadata({{"tokenLifetimeSeconds", 4}});
    write(document());
    start_proxy();
    await_login();
    const auto calls = emulator().calls(kTokenCalls).value();
    ASSERT_TRUE(eventually([&] { return emulator().calls(kTokenCalls).value() >= calls + 2; }, 30s));
    EXPECT_EQ(ask({"PING"}), "+PONG");
    EXPECT_EQ(proxy().metric("cloudvalkey_proxy_logins_total", {"result=\"refused\""}), 0);
}

TEST_F(ProxyLoginTest, while_the_metadata_server_is_slow_clients_hear_so_and_then_are_served) {
    disturb_metadata({{"delayMs", 3000}, {"count", 4}});
    write(document());
    start_proxy();
    const auto early = proxy().ping_bytes();
    keep("answer to a client", early);
    EXPECT_TRUE(early.starts_with(kNoToken)) << early;
    EXPECT_TRUE(answers_pong_within(30s));
}

TEST_F(ProxyLoginTest, a_metadata_server_that_is_down_at_start_and_comes_back_is_enough) {
    set_metadata({{"down", true}});
    write(document());
    start_proxy();
    const auto early = proxy().ping_bytes();
    keep("answer to a client", early);
    EXPECT_TRUE(early.starts_with(kNoToken)) << early;
    EXPECT_TRUE(proxy().process().is_running());
    set_metadata({{"down", false}});
    EXPECT_TRUE(answers_pong_within(30s));
}

TEST_F(ProxyLoginTest, a_good_token_outlives_its_metadata_server) {
    write(document());
    start_proxy();
    await_login();
    set_metadata({{"down", true}});
    EXPECT_EQ(ask({"PING"}), "+PONG");
}

TEST_F(ProxyLoginTest, no_connect_asks_for_a_token) {
    write(document());
    start_proxy();
    await_login();
    const auto calls = emulator().calls(kTokenCalls).value();
    for (int i = 0; i < 20; ++i)
        ASSERT_EQ(ask({"PING"}), "+PONG");
    EXPECT_EQ(emulator().calls(kTokenCalls).value(), calls);
}

TEST_F(ProxyLoginTest, a_refusing_metadata_server_is_named_with_the_remedy) {
    disturb_metadata({{"status", 403}, {"kind", "instance/service-accounts/default/token"}});
    write(document());
    start_proxy();
    const auto bytes = proxy().ping_bytes();
    keep("answer to a client", bytes);
    EXPECT_NE(bytes.find(" cloud-valkey-proxy sessions: NoToken: "), std::string::npos) << bytes;
    EXPECT_NE(proxy().page("/status").find("roles/iam.workloadIdentityUser"), std::string::npos);
    heal_metadata();
    EXPECT_TRUE(answers_pong_within(60s));
}

TEST_F(ProxyLoginTest, a_gke_identity_that_cannot_log_in_is_named_at_start_and_in_status) {
    set_metadata({{"email", "my-project.svc.id.goog"}});
    write(document());
    start_proxy();
    EXPECT_TRUE(
        eventually([&] { return proxy().page("/status").find("my-project.svc.id.goog") != std::string::npos; }));
    EXPECT_TRUE(eventually(
        [&] { return proxy().evidence().front().text.find("my-project.svc.id.goog") != std::string::npos; }));
}

TEST_F(ProxyLoginTest, a_login_that_the_server_refuses_is_told_to_clients_without_the_token) {
    auto connection = document();
    connection.auth.username = "somebody";
    write(connection);
    start_proxy();
    std::string bytes;
    EXPECT_TRUE(eventually([&] {
        bytes = proxy().ping_bytes();
        keep("answer to a client", bytes);
        return bytes.find("LoginRefused: ") != std::string::npos;
    }));
    EXPECT_TRUE(bytes.starts_with("-LOADING cloud-valkey-proxy sessions: LoginRefused: ")) << bytes;
    EXPECT_GE(proxy().metric("cloudvalkey_proxy_logins_total", {"result=\"refused\""}), 1);
}

}  // namespace
}  // namespace cvp::test
