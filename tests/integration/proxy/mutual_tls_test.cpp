// A server that asks who we are, and files that change while clients are served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/proxy/own_server.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ProxyMutualTls : public OwnServerFixture {
protected:
    void SetUp() override {
        start_server({"tls-auth-clients yes"});
        write(document());
    }
};

TEST_F(ProxyMutualTls, shows_the_certificate_that_lies_beside_the_document) {
    show_certificate(ca_.client_certificate());
    start_proxy();
    expect_answer({"SET", "k", "v"}, "+OK");
    EXPECT_EQ(proxy().metric("cloudvalkey_proxy_tls_failures_total"), 0);
}

TEST_F(ProxyMutualTls, tells_clients_what_is_missing_and_heals_when_it_comes) {
    start_proxy();
    EXPECT_THAT(keep(proxy().ping_bytes()),
                AllOf(StartsWith("-LOADING cloud-valkey-proxy sessions: UpstreamUnreachable: "),
                      HasSubstr("demands a client certificate")));
    show_certificate(ca_.client_certificate());
    expect_answer({"PING"}, "+PONG");
}

TEST_F(ProxyMutualTls, tells_clients_that_the_certificate_is_refused) {
    const TestCa stranger("Another CA");
    show_certificate(stranger.client_certificate());
    start_proxy();
    EXPECT_THAT(keep(proxy().ping_bytes()), HasSubstr("does not accept our client certificate"));
}

TEST_F(ProxyMutualTls, follows_a_change_of_certificate_and_ca_and_drops_nobody) {
    show_certificate(ca_.client_certificate());
    start_proxy();
    expect_answer({"PING"}, "+PONG");
    auto session = proxy().connect().value();
    ASSERT_EQ(ask(session, {"SET", "k", "before"}), "+OK");

    const TestCa next("Next CA");
    ASSERT_TRUE(server().show(next.valkey()));
    write_beside("ca.crt", next.pem());
    show_certificate(next.client_certificate());
    expect_answer({"GET", "k"}, "\"before\"");
    EXPECT_EQ(ask(session, {"GET", "k"}), "\"before\"") << "who is connected stays so";
}

TEST_F(ProxyMutualTls, keeps_what_it_has_while_a_certificate_lacks_its_key) {
    show_certificate(ca_.client_certificate());
    start_proxy();
    expect_answer({"PING"}, "+PONG");
    write_beside("tls.key", "");
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_config_rejected_total") >= 1; }));
    EXPECT_THAT(keep(proxy().page("/status")), HasSubstr("tls.key: the file is missing or empty"));
    EXPECT_EQ(ask({"PING"}), "+PONG");
}

TEST_F(ProxyMutualTls, refuses_to_start_with_a_key_of_another_certificate) {
    auto mixed = ca_.client_certificate();
    mixed.key_pem = ca_.client_certificate().key_pem;
    show_certificate(mixed);
    ProcessOptions options;
    options.argv = {CVP_PROXY_BINARY, "--config=" + (config_dir() / "connection.yaml").string(), "--admin-listen=off",
                    "--port=" + std::to_string(free_port().value()),
                    "--readers-port=" + std::to_string(free_port().value())};
    const auto result = run_command(options);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 64) << result->err;
    EXPECT_THAT(keep(result->err), HasSubstr("client certificate: certificate and key: private key mismatch"));
}

class ProxyFiles : public OwnServerFixture {};

TEST_F(ProxyFiles, a_new_password_is_for_new_clients_and_drops_nobody) {
    start_server();
    write(document());
    start_proxy();
    expect_answer({"PING"}, "+PONG");
    auto session = proxy().connect().value();
    ASSERT_EQ(ask(session, {"PING"}), "+PONG");

    const auto next = secret("canary-two");
    ASSERT_TRUE(server().allow(next));
    ASSERT_TRUE(server().refuse(Secret(kPassword)));
    write_beside("password", std::string(next.reveal()) + "\n");
    expect_answer({"PING"}, "+PONG");
    EXPECT_EQ(ask(session, {"PING"}), "+PONG");
}

TEST_F(ProxyFiles, the_user_comes_from_its_file_and_changes_with_it) {
    start_server();
    const auto password = secret("canary-alice");
    ASSERT_TRUE(server().admin_text(
        {"ACL", "SETUSER", "alice", "on", "+@all", "~*", "&*", ">" + std::string(password.reveal())}));
    write(document());
    start_proxy();
    expect_answer({"ACL", "WHOAMI"}, "\"default\"");
    auto session = proxy().connect().value();
    ASSERT_EQ(ask(session, {"ACL", "WHOAMI"}), "\"default\"");

    write_beside("password", password.reveal());
    write_beside("username", "alice\n");
    expect_answer({"ACL", "WHOAMI"}, "\"alice\"");
    EXPECT_EQ(ask(session, {"ACL", "WHOAMI"}), "\"default\"") << "who is connected stays so";
}

}  // namespace
}  // namespace cvp::test
