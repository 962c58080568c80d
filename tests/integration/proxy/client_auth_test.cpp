// What clients must show by RESP: a password that the proxy knows, nothing, or no login at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/proxy/own_server.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto kNoAuth = "-NOAUTH Authentication required.";
constexpr auto kWrongPass = "-WRONGPASS invalid username-password pair or user is disabled.";

class ProxyClientAuth : public OwnServerFixture {
protected:
    void SetUp() override { start_server(); }

    void start(ClientAuth mode, const std::vector<std::string>& arguments = {}) {
        auto connection = document();
        connection.proxy.client_auth = mode;
        write(connection);
        start_proxy(arguments);
        ASSERT_TRUE(
            eventually([&] { return proxy().is_started() && proxy().metric("cloudvalkey_proxy_logins_total") >= 1; }));
    }
    std::string password_file(const std::string& password) {
        write_beside("flag-password", std::string(secret(password).reveal()) + "\n");
        return "--client-password-file=" + (config_dir() / "flag-password").string();
    }
    /// What a new client hears to AUTH, and then to PING.
    std::string log_in(const std::vector<std::string>& words) {
        auto client = proxy().connect().value();
        auto command = words;
        command.insert(command.begin(), "AUTH");
        const auto verdict = ask(client, command);
        return verdict + " " + ask(client, {"PING"});
    }
    std::uint64_t commands_of_clients() {
        const auto stats = server().admin_text({"INFO", "commandstats"}).value_or("");
        const auto at = stats.find("cmdstat_set:calls=");
        return at == std::string::npos ? 0 : std::stoull(stats.substr(at + 18));
    }
};

TEST_F(ProxyClientAuth, asks_for_the_password_of_the_secret_before_anything_reaches_the_server) {
    write_beside("client-password", std::string(secret("canary-client").reveal()) + "\n");
    start(ClientAuth::require);
    EXPECT_EQ(ask({"SET", "k", "stolen"}), kNoAuth);
    EXPECT_EQ(log_in({"guess"}), std::string(kWrongPass) + " " + kNoAuth);
    EXPECT_EQ(log_in({"admin", "canary-client"}), std::string(kWrongPass) + " " + kNoAuth) << "not the default user";
    EXPECT_EQ(commands_of_clients(), 0u);
    EXPECT_EQ(log_in({"canary-client"}), "+OK +PONG");
    EXPECT_EQ(log_in({"default", "canary-client"}), "+OK +PONG");
    auto client = proxy().connect().value();
    EXPECT_THAT(ask(client, {"HELLO", "3", "AUTH", "default", "canary-client"}), HasSubstr("\"proto\", 3,"));
    EXPECT_EQ(ask(client, {"SET", "k", "v"}), "+OK");
    EXPECT_EQ(commands_of_clients(), 1u);
}

TEST_F(ProxyClientAuth, lets_nobody_in_while_there_is_no_password_and_heals_when_it_comes) {
    start(ClientAuth::require);
    EXPECT_EQ(log_in({""}), std::string(kWrongPass) + " " + kNoAuth);
    write_beside("client-password", secret("canary-late").reveal());
    EXPECT_TRUE(eventually([&] { return log_in({"canary-late"}) == "+OK +PONG"; }));
}

TEST_F(ProxyClientAuth, follows_a_new_password_and_drops_nobody) {
    write_beside("client-password", secret("canary-old").reveal());
    start(ClientAuth::require);
    auto session = proxy().connect().value();
    ASSERT_EQ(ask(session, {"AUTH", "canary-old"}), "+OK");
    write_beside("client-password", secret("canary-new").reveal());
    EXPECT_TRUE(eventually([&] { return log_in({"canary-new"}) == "+OK +PONG"; }));
    EXPECT_EQ(log_in({"canary-old"}), std::string(kWrongPass) + " " + kNoAuth);
    EXPECT_EQ(ask(session, {"PING"}), "+PONG") << "who is in stays so";
}

TEST_F(ProxyClientAuth, refuses_every_login_where_the_connection_says_so) {
    start(ClientAuth::reject);
    EXPECT_EQ(ask({"SET", "k", "v"}), "+OK");
    EXPECT_THAT(log_in({"anything"}), HasSubstr("-ERR AUTH <password> called without any password configured"));
    EXPECT_EQ(log_in({"default", "anything"}), std::string(kWrongPass) + " +PONG");
}

TEST_F(ProxyClientAuth, is_what_flags_say_whatever_documents_say) {
    write_beside("client-password", secret("canary-document").reveal());
    start(ClientAuth::reject, {"--client-auth=require", password_file("canary-flag")});
    EXPECT_EQ(ask({"PING"}), kNoAuth);
    EXPECT_EQ(log_in({"canary-document"}), std::string(kWrongPass) + " " + kNoAuth);
    EXPECT_EQ(log_in({"canary-flag"}), "+OK +PONG");
    EXPECT_EQ(proxy().status()["connections"][0]["clientAuth"], "Require");

    password_file("canary-flag-2");
    EXPECT_TRUE(eventually([&] { return log_in({"canary-flag-2"}) == "+OK +PONG"; }, 30s));
    EXPECT_EQ(log_in({"canary-flag"}), std::string(kWrongPass) + " " + kNoAuth);
}

TEST_F(ProxyClientAuth, is_satisfied_by_a_certificate_unless_there_is_a_password_too) {
    const TestCa client_ca("Client CA");
    const auto leaf = ca_.sign(Leaf::good);
    write_beside("listen.crt", leaf.certificate_pem);
    write_beside("listen.key", leaf.key_pem.reveal());
    write_beside("clients.crt", client_ca.pem());
    const auto at = [&](const char* name) { return (config_dir() / name).string(); };
    const auto socket = dir_.path() / "v.sock";
    const std::vector<std::string> arguments{"--listen-cert=" + at("listen.crt"), "--listen-key=" + at("listen.key"),
                                             "--listen-client-ca=" + at("clients.crt"),
                                             "--unix-socket=" + socket.string()};
    const auto shown = client_ca.client_certificate();
    auto settings = ca_.client();
    settings.certificate_pem = shown.certificate_pem;
    settings.key_pem = shown.key_pem;
    const auto ping = [&] {
        auto client = RespClient::connect_tls("127.0.0.1", proxy().port(), settings).value();
        return ask(client, {"PING"});
    };

    start(ClientAuth::require, arguments);
    EXPECT_EQ(ping(), "+PONG");
    auto local = RespClient::connect_unix(socket).value();
    EXPECT_EQ(ask(local, {"PING"}), "+PONG") << "the mode of its file guards it";

    write_beside("client-password", secret("canary-both").reveal());
    EXPECT_TRUE(eventually([&] { return ping() == kNoAuth; }));
    auto client = RespClient::connect_tls("127.0.0.1", proxy().port(), settings).value();
    EXPECT_EQ(ask(client, {"AUTH", "canary-both"}), "+OK");
    EXPECT_EQ(ask(client, {"PING"}), "+PONG");
}

TEST_F(ProxyClientAuth, goes_on_asking_while_a_new_document_is_bad) {
    write_beside("client-password", secret("canary-door").reveal());
    start(ClientAuth::require);
    auto broken = document();
    broken.name = "renamed";
    broken.endpoints.clear();
    write(broken);
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_config_rejected_total") >= 1; }));
    EXPECT_EQ(ask({"PING"}), kNoAuth);
}

}  // namespace
}  // namespace cvp::test
