// A token never travels unverified: a server of ours that writes down every byte gets none of them.
#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

#include "tests/integration/proxy/fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recording_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

/// Points the document at a server of the test's own, which the document's CA has signed (or not).
ResolvedConnection pointed_at(ResolvedConnection connection, const RecordingServer& server, const std::string& ca) {
    connection.endpoints[0].port = server.port();
    connection.tls.ca = ca;
    return connection;
}

std::unique_ptr<RecordingServer> record(const TlsServerSettings& certificate, bool tls = true) {
    RecordingOptions options;
    options.tls = tls;
    options.certificate = certificate;
    options.answer = [](std::string_view) { return std::string("+OK\r\n"); };
    auto server = RecordingServer::start(std::move(options));
    if (!server) throw std::runtime_error(to_string(server.error()));
    return std::move(*server);
}

struct WrongServer {
    const char* name;
    TlsServerSettings (*certificate)(const TestCa& trusted);
    const char* answer;  ///< how the client's answer begins
};

void PrintTo(const WrongServer& server, std::ostream* out) {
    *out << server.name;
}

class WrongServerTest : public ProxyFixture, public ::testing::WithParamInterface<WrongServer> {};

TEST_P(WrongServerTest, gets_no_byte_inside_tls_and_the_client_learns_why) {
    const auto server = record(GetParam().certificate(own_ca_));
    write(pointed_at(document(), *server, own_ca_.pem()));
    start_proxy();
    await_token();  // nothing but verification keeps it back
    const auto bytes = proxy().ping_bytes();
    keep("answer to a client", bytes);
    EXPECT_TRUE(bytes.starts_with(GetParam().answer)) << bytes;
    EXPECT_TRUE(bytes.ends_with("\r\n") && std::count(bytes.begin(), bytes.end(), '\n') == 1) << bytes;
    ASSERT_TRUE(server->wait_for_ended(2, 20s));  // the proxy's own proof and the client's dial

    EXPECT_EQ(server->application_bytes(), 0U);
    for (const auto& connection : server->connections()) {
        EXPECT_FALSE(connection.wire.empty());
        EXPECT_EQ(connection.wire.find("AUTH"), std::string::npos);
        keep("bytes on the wire", connection.wire);
    }
    EXPECT_EQ(proxy().metric("cloudvalkey_proxy_logins_total", {"result=\"ok\""}), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Proxy, WrongServerTest,
    ::testing::Values(WrongServer{"foreign_ca", [](const TestCa&) { return TestCa("Foreign CA").server(); },
                                  "-ERR cloud-valkey-proxy sessions: TlsChain: "},
                      WrongServer{"expired", [](const TestCa& ca) { return ca.server(Leaf::expired); },
                                  "-ERR cloud-valkey-proxy sessions: TlsChain: "},
                      WrongServer{"not_yet_valid", [](const TestCa& ca) { return ca.server(Leaf::not_yet_valid); },
                                  "-ERR cloud-valkey-proxy sessions: TlsChain: "},
                      WrongServer{"other_instance", [](const TestCa& ca) { return ca.server(Leaf::other_identity); },
                                  "-ERR cloud-valkey-proxy sessions: TlsIdentity: "},
                      WrongServer{"common_name_only", [](const TestCa& ca) { return ca.server(Leaf::common_name); },
                                  "-ERR cloud-valkey-proxy sessions: TlsIdentity: "},
                      WrongServer{"tls_1_1",
                                  [](const TestCa& ca) {
                                      auto settings = ca.server();
                                      settings.min_version = settings.max_version = TlsVersion::v1_1;
                                      return settings;
                                  },
                                  "-ERR cloud-valkey-proxy sessions: UpstreamUnreachable: "}),
    [](const auto& test) { return std::string(test.param.name); });

class ProxyTlsTest : public ProxyFixture {};

TEST_F(ProxyTlsTest, the_right_server_gets_the_login_so_the_recorder_would_have_seen_it) {
    const auto server = record(own_ca_.server());
    auto spareless = pointed_at(document(), *server, own_ca_.pem());
    spareless.proxy.warm_spares = 0;  // a spare may be half made when the recorder is looked at
    write(spareless);
    start_proxy();
    ASSERT_EQ(ask({"PING"}), "+OK");
    const auto tokens = emulator().tokens().value();
    const auto connections = server->connections();
    ASSERT_FALSE(connections.empty());
    for (const auto& connection : connections) {
        EXPECT_EQ(connection.tls_version, "TLSv1.3");
        EXPECT_TRUE(std::any_of(tokens.begin(), tokens.end(), [&](const auto& token) {
            return connection.application.starts_with(encode_command({"AUTH", "default", token}));
        }));
        keep("bytes on the wire", connection.wire);
    }
}

TEST_F(ProxyTlsTest, speaks_tls_1_2_where_the_server_has_nothing_newer) {
    auto settings = own_ca_.server();
    settings.max_version = TlsVersion::v1_2;
    const auto server = record(settings);
    write(pointed_at(document(), *server, own_ca_.pem()));
    start_proxy();
    EXPECT_EQ(ask({"PING"}), "+OK");
    EXPECT_EQ(server->connections().at(0).tls_version, "TLSv1.2");
}

TEST_F(ProxyTlsTest, a_server_without_tls_gets_a_client_hello_and_no_token) {
    const auto server = record({}, false);
    write(pointed_at(document(), *server, own_ca_.pem()));
    start_proxy();
    await_token();
    const auto bytes = proxy().ping_bytes();
    keep("answer to a client", bytes);
    EXPECT_TRUE(bytes.starts_with("-LOADING cloud-valkey-proxy sessions: UpstreamUnreachable: ")) << bytes;
    for (const auto& connection : server->connections()) {
        EXPECT_EQ(connection.wire.find("AUTH"), std::string::npos);
        keep("bytes on the wire", connection.wire);
    }
}

TEST_F(ProxyTlsTest, a_ca_that_rotates_under_a_running_proxy_is_followed) {
    write(document());
    start_proxy();
    await_login();
    act("rotateCa");
    // What was issued by the new CA is refused until the document lists it.
    ASSERT_TRUE(eventually([&] { return ask({"PING"}).starts_with("-ERR cloud-valkey-proxy sessions: TlsChain: "); }));
    write(document());
    EXPECT_TRUE(answers_pong_within(20s));
    EXPECT_TRUE(proxy().process().is_running());
}

}  // namespace
}  // namespace cvp::test
