// Servers die, freeze, move and come back: clients hear why in time, and the proxy stays.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/proxy/fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recording_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kUnreachable = "-LOADING cloud-valkey-proxy sessions: UpstreamUnreachable: ";

class ProxyEndpointTest : public ProxyFixture {
protected:
    void SetUp() override {
        write(document());
        start_proxy();
        await_login();
    }
    RespClient connect() { return proxy().connect().value(); }
    static std::string text_of(const Result<RespReply>& reply) {
        return reply ? to_string(*reply) : to_string(reply.error());
    }
};

TEST_F(ProxyEndpointTest, kill_of_the_server_ends_its_sessions_without_an_invented_error) {
    auto session = connect();
    ASSERT_EQ(text_of(session.command({"PING"})), "+PONG");
    act("kill");
    EXPECT_EQ(session.read_to_end().value_or("reset"), "");
    const auto bytes = proxy().ping_bytes();
    keep("answer to a client", bytes);
    EXPECT_TRUE(bytes.starts_with(kUnreachable)) << bytes;
    act("start");
    EXPECT_TRUE(answers_pong_within(20s));
}

TEST_F(ProxyEndpointTest, a_client_that_comes_while_the_server_restarts_is_held_and_then_served) {
    act("kill");
    auto client = connect();
    ASSERT_TRUE(client.send(encode_command({"PING"})));
    act("start");
    EXPECT_EQ(text_of(client.read_reply()), "+PONG");
}

TEST_F(ProxyEndpointTest, a_frozen_server_costs_a_new_client_no_more_than_the_hold) {
    auto spareless = document();
    spareless.proxy.warm_spares = 0;  // one that is connected already waits for the server, as a client would directly
    write(spareless);
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_config_generation") == 2; }, 20s));
    act("pause");
    const auto start = std::chrono::steady_clock::now();
    const auto bytes = proxy().ping_bytes();
    const auto waited = std::chrono::steady_clock::now() - start;
    keep("answer to a client", bytes);
    EXPECT_TRUE(bytes.starts_with(kUnreachable)) << bytes;
    EXPECT_GE(waited, 1400ms);
    EXPECT_LT(waited, 4s);
    act("resume");
    EXPECT_TRUE(answers_pong_within(20s));
}

TEST_F(ProxyEndpointTest, a_proxy_that_reached_its_server_is_started_and_ready) {
    EXPECT_TRUE(proxy().is_started());
    EXPECT_NE(proxy().page("/readyz"), "");
}

TEST_F(ProxyEndpointTest, a_changed_document_is_followed_without_a_restart) {
    const auto pid = proxy().process().pid();
    auto session = connect();
    ASSERT_EQ(text_of(session.command({"SET", "k", "before"})), "+OK");
    act("move");
    write(document());
    EXPECT_TRUE(answers_pong_within(20s));
    EXPECT_EQ(ask({"GET", "k"}), "\"before\"");
    EXPECT_EQ(proxy().process().pid(), pid);
    EXPECT_TRUE(proxy().process().is_running());
}

TEST_F(ProxyEndpointTest, running_sessions_move_when_the_document_changes_and_they_can) {
    auto session = connect();
    ASSERT_EQ(text_of(session.command({"PING"})), "+PONG");
    auto watching = connect();
    ASSERT_EQ(text_of(watching.command({"WATCH", "k"})), "+OK");
    RecordingOptions options;
    options.certificate = own_ca_.server();
    options.answer = [](std::string_view) { return std::string("+OK\r\n"); };
    const auto other = RecordingServer::start(std::move(options)).value();
    auto changed = document();
    changed.endpoints[0].port = other->port();
    changed.tls.ca = own_ca_.pem();
    write(changed);
    ASSERT_TRUE(eventually([&] { return ask({"PING"}) == "+OK"; })) << "new clients go to the new server";
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_moves_total", {"result=\"ok\""}) >= 1; }));
    EXPECT_EQ(text_of(session.command({"PING"})), "+OK") << "it went there unnoticed";
    EXPECT_EQ(text_of(watching.command({"PING"})), "+PONG") << "its WATCH stands at the old server";
}

TEST_F(ProxyEndpointTest, a_bad_document_changes_nothing_and_is_told) {
    write_text("apiVersion: cloudvalkey.dev/v1alpha1\nkind: ResolvedConnection\nendpoints: 7\n");
    EXPECT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_config_rejected_total") >= 1; }));
    EXPECT_EQ(ask({"PING"}), "+PONG");
    EXPECT_NE(proxy().page("/status").find("endpoints"), std::string::npos);
}

TEST_F(ProxyEndpointTest, sigterm_drains_and_exits_0) {
    auto session = connect();
    ASSERT_EQ(text_of(session.command({"PING"})), "+PONG");
    proxy().process().signal(SIGTERM);
    EXPECT_EQ(proxy().process().wait(15s), 0);
    EXPECT_EQ(session.read_to_end().value_or("reset"), "");
}

}  // namespace
}  // namespace cvp::test
