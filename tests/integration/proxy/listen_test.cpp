// Clients that must show something before they are served: TLS, certificates, and what is open to other machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/proxy/own_server.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ProxyListen : public OwnServerFixture {
protected:
    void SetUp() override {
        start_server();
        write(document());
        show(listen_ca_);
    }
    /// Makes a certificate of `authority` that of the listeners, each file in one step.
    void show(const TestCa& authority) const {
        const auto leaf = authority.sign(Leaf::good);
        write_beside("listen.crt", leaf.certificate_pem);
        write_beside("listen.key", leaf.key_pem.reveal());
    }
    std::vector<std::string> with_tls(std::vector<std::string> more = {}) const {
        more.push_back("--listen-cert=" + (config_dir() / "listen.crt").string());
        more.push_back("--listen-key=" + (config_dir() / "listen.key").string());
        return more;
    }
    Result<RespClient> connect_tls(const TlsClientSettings& settings) {
        return RespClient::connect_tls("127.0.0.1", proxy().port(), settings);
    }
    /// What a client that says PING by TLS gets to hear.
    std::string ping_tls(const TlsClientSettings& settings) {
        auto client = connect_tls(settings);
        return client ? ask(*client, {"PING"}) : keep(to_string(client.error()));
    }
    void expect_pong(const TlsClientSettings& settings) {
        std::string last;
        EXPECT_TRUE(eventually([&] { return (last = ping_tls(settings)) == "+PONG"; })) << "last answer: " << last;
    }
    TlsClientSettings client_with(const crypto::CertificateAndKey& certificate) const {
        auto settings = listen_ca_.client();
        settings.certificate_pem = certificate.certificate_pem;
        settings.key_pem = certificate.key_pem;
        return settings;
    }
    /// Runs the proxy where it must end by itself.
    CommandResult run(const std::vector<std::string>& arguments) {
        ProcessOptions options;
        options.argv = {CVP_PROXY_BINARY, "--config=" + (config_dir() / "connection.yaml").string(),
                        "--admin-listen=off", "--port=" + std::to_string(free_port().value()),
                        "--readers-port=" + std::to_string(free_port().value())};
        options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
        auto result = run_command(options);
        if (!result) throw std::runtime_error(to_string(result.error()));
        keep(result->err);
        return std::move(*result);
    }

    TestCa listen_ca_{"Listen CA"};
    TestCa client_ca_{"Client CA"};
};

TEST_F(ProxyListen, serves_clients_by_tls) {
    start_proxy(with_tls());
    expect_pong(listen_ca_.client());
    auto client = connect_tls(listen_ca_.client()).value();
    const std::string big(5 << 20, 'x');
    EXPECT_EQ(ask(client, {"SET", "big", big}), "+OK");
    EXPECT_EQ(ask(client, {"GET", "big"}).size(), big.size() + 2);
    auto old = listen_ca_.client();
    old.max_version = TlsVersion::v1_2;
    EXPECT_EQ(ping_tls(old), "+PONG");
    EXPECT_GE(proxy().metric("cloudvalkey_proxy_client_tls_handshakes_total", {"result=\"ok\""}), 3);
    EXPECT_EQ(proxy().status()["connections"][0]["ports"][0]["tls"], true);
}

TEST_F(ProxyListen, lets_no_plain_client_in_where_tls_is_spoken_but_by_the_unix_socket) {
    const auto socket = dir_.path() / "v.sock";
    start_proxy(with_tls({"--unix-socket=" + socket.string()}));
    expect_pong(listen_ca_.client());
    auto plain = proxy().connect().value();
    ASSERT_TRUE(plain.send(encode_command({"SET", "k", "by a plain client"})));
    const auto heard = plain.read_to_end();
    EXPECT_EQ(heard.value_or("").find("+OK"), std::string::npos);
    EXPECT_TRUE(eventually(
        [&] { return proxy().metric("cloudvalkey_proxy_client_tls_handshakes_total", {"result=\"failed\""}) == 1; }));
    auto local = RespClient::connect_unix(socket).value();
    EXPECT_EQ(ask(local, {"GET", "k"}), "(null)");
}

TEST_F(ProxyListen, tells_a_client_too_many_so_inside_tls) {
    auto small = document();
    small.proxy.max_connections = 1;
    write(small);
    start_proxy(with_tls());
    expect_pong(listen_ca_.client());
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_clients_open") == 0; }));
    auto first = connect_tls(listen_ca_.client()).value();
    ASSERT_EQ(ask(first, {"PING"}), "+PONG");
    EXPECT_EQ(ping_tls(listen_ca_.client()), "-ERR max number of clients reached");
}

TEST_F(ProxyListen, serves_those_that_show_a_certificate_of_the_client_ca_and_nobody_else) {
    write_beside("clients.crt", client_ca_.pem());
    start_proxy(with_tls({"--listen-client-ca=" + (config_dir() / "clients.crt").string()}));
    expect_pong(client_with(client_ca_.client_certificate()));
    EXPECT_NE(ping_tls(listen_ca_.client()), "+PONG") << "no certificate";
    EXPECT_NE(ping_tls(client_with(listen_ca_.client_certificate())), "+PONG") << "another CA's";
    EXPECT_NE(ping_tls(client_with(client_ca_.client_certificate(Leaf::expired))), "+PONG") << "expired";
    EXPECT_TRUE(eventually([&] {
        return proxy().metric("cloudvalkey_proxy_client_tls_handshakes_total", {"result=\"certificate\""}) == 3;
    }));
    EXPECT_EQ(proxy().metric("cloudvalkey_proxy_clients_open"), 0) << "nobody else began a session";
}

TEST_F(ProxyListen, follows_new_files_and_keeps_the_old_ones_while_they_are_bad) {
    start_proxy(with_tls());
    expect_pong(listen_ca_.client());
    auto session = connect_tls(listen_ca_.client()).value();
    ASSERT_EQ(ask(session, {"PING"}), "+PONG");

    write_beside("listen.crt", "nonsense");
    ASSERT_TRUE(eventually([&] { return proxy().metric("cloudvalkey_proxy_listen_file_errors_total") == 1; }, 30s));
    EXPECT_THAT(proxy().status()["listenFiles"]["lastError"].dump(), HasSubstr("certificate"));
    EXPECT_EQ(ping_tls(listen_ca_.client()), "+PONG");

    const TestCa next("Next CA");
    show(next);
    EXPECT_TRUE(eventually([&] { return ping_tls(next.client()) == "+PONG"; }, 30s));
    EXPECT_EQ(ask(session, {"PING"}), "+PONG") << "who is connected stays so";
    EXPECT_EQ(proxy().status()["listenFiles"]["lastError"], nullptr);
}

TEST_F(ProxyListen, starts_with_no_file_that_is_bad) {
    write_beside("listen.key", "nonsense");
    const auto result = run(with_tls({"--client-password-file=/nowhere"}));
    EXPECT_EQ(result.status, 64);
    EXPECT_THAT(result.err, HasSubstr("key: the private key cannot be read"));
    EXPECT_THAT(run({"--client-password-file=/nowhere"}).err, HasSubstr("/nowhere: No such file"));
}

TEST_F(ProxyListen, opens_nothing_to_other_machines_unless_they_must_show_something) {
    for (const auto* address : {"0.0.0.0", "::"}) {
        const auto result = run({std::string("--listen=") + address});
        EXPECT_EQ(result.status, 64) << address;
        EXPECT_THAT(result.err, AllOf(HasSubstr("clientAuth: Require"), HasSubstr("--allow-open-listen")));
    }
    const auto by_flag = run({"--listen=0.0.0.0", "--client-auth=reject"});
    EXPECT_EQ(by_flag.status, 64);
    EXPECT_THAT(by_flag.err, AllOf(HasSubstr("clientAuth: Reject"), HasSubstr("--allow-open-listen")));
}

}  // namespace
}  // namespace cvp::test
