// A token never travels to a server that was not verified: a server that believes everybody writes down what it gets.
#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

#include "tests/integration/proxy_data/running_proxy.hpp"
#include "tests/support/recording_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

const Secret kToken("ya29.Y2FuYXJ5LW9mLXRoZS10aGllZg");

struct Wrong {
    const char* name;
    Leaf leaf = Leaf::good;
    bool is_foreign_ca = false;
    TlsVersion newest = TlsVersion::v1_3;
    const char* answer = "";  ///< how the answer to a client begins, after the port is cut out
};

std::ostream& operator<<(std::ostream& out, const Wrong& wrong) {
    return out << wrong.name;
}

class Verification : public ::testing::TestWithParam<Wrong> {};

TEST_P(Verification, a_wrong_server_gets_no_application_byte_and_the_client_learns_why) {
    const auto& wrong = GetParam();
    const TestCa trusted("Instance CA"), foreign("Foreign CA");
    RecordingOptions options;
    options.certificate = (wrong.is_foreign_ca ? foreign : trusted).server(wrong.leaf);
    options.certificate.max_version = wrong.newest;
    options.certificate.min_version = std::min(wrong.newest, TlsVersion::v1_2);
    options.answer = [](std::string_view) { return "+OK\r\n"; };
    auto server = RecordingServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());

    RunningProxy proxy;
    proxy.point_to(tls_target((*server)->port(), trusted, std::make_shared<TestLogin>(kToken)));
    for (int i = 0; i < 3; ++i) {  // the first client is held, later ones meet the cool-down
        auto client = proxy.connect();
        const auto reply = ask(client, {"SET", "k", "my own secret"});
        EXPECT_EQ(reply.substr(0, std::string(wrong.answer).size()), wrong.answer) << reply;
        EXPECT_EQ(client.read_to_end().value_or("?"), "");
    }
    ASSERT_TRUE((*server)->wait_for_ended(2, 5s)) << "proof and client";
    EXPECT_EQ((*server)->application_bytes(), 0u);
    for (const auto& connection : (*server)->connections()) {
        EXPECT_EQ(connection.wire.find(kToken.reveal()), std::string::npos);
        EXPECT_EQ(connection.wire.find("AUTH"), std::string::npos);
    }
    const auto stats = proxy.stats();
    EXPECT_EQ(stats.handshakes_ok, 0u);
    EXPECT_EQ(stats.logins_ok + stats.logins_refused + stats.logins_failed, 0u);
    EXPECT_EQ(proxy.upstream().last_success, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Servers, Verification,
                         ::testing::Values(Wrong{"foreign_ca", Leaf::good, true, TlsVersion::v1_3,
                                                 "-ERR cloud-valkey-proxy sessions: TlsChain: 127.0.0.1:"},
                                           Wrong{"expired", Leaf::expired, false, TlsVersion::v1_3,
                                                 "-ERR cloud-valkey-proxy sessions: TlsChain: 127.0.0.1:"},
                                           Wrong{"not_yet_valid", Leaf::not_yet_valid, false, TlsVersion::v1_3,
                                                 "-ERR cloud-valkey-proxy sessions: TlsChain: 127.0.0.1:"},
                                           Wrong{"other_identity", Leaf::other_identity, false, TlsVersion::v1_3,
                                                 "-ERR cloud-valkey-proxy sessions: TlsIdentity: 127.0.0.1:"},
                                           Wrong{"other_identity_tls12", Leaf::other_identity, false, TlsVersion::v1_2,
                                                 "-ERR cloud-valkey-proxy sessions: TlsIdentity: 127.0.0.1:"},
                                           Wrong{"common_name_only", Leaf::common_name, false, TlsVersion::v1_3,
                                                 "-ERR cloud-valkey-proxy sessions: TlsIdentity: 127.0.0.1:"},
                                           Wrong{"tls11_only", Leaf::good, false, TlsVersion::v1_1,
                                                 "-ERR cloud-valkey-proxy sessions: UpstreamUnreachable: 127.0.0.1:"}),
                         [](const auto& server) { return server.param.name; });

TEST(VerifiedServer, gets_the_login_first_and_then_the_clients_own_bytes) {
    const TestCa ca;
    RecordingOptions options;
    options.certificate = ca.server();
    options.answer = [](std::string_view) { return "+OK\r\n"; };
    auto server = RecordingServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());
    RunningProxy proxy;
    auto target = tls_target((*server)->port(), ca, std::make_shared<TestLogin>(kToken));
    target.spares = 0;
    proxy.point_to(std::move(target));
    ASSERT_TRUE(proxy.wait_until_proven());
    auto client = proxy.connect();
    EXPECT_EQ(ask(client, {"PING"}), "+OK");
    const auto all = (*server)->connections();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1].application, encode_command({"AUTH", std::string(kToken.reveal())}) + encode_command({"PING"}));
    EXPECT_EQ(all[1].tls_version, "TLSv1.3");
}

TEST(VerifiedServer, a_plain_server_where_tls_is_due_gets_nothing_that_it_could_use) {
    const TestCa ca;
    RecordingOptions options;
    options.tls = false;
    options.answer = [](std::string_view) { return "-ERR unknown command\r\n"; };
    auto server = RecordingServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());
    RunningProxy proxy;
    proxy.point_to(proxy::Destination{.to = tls_target((*server)->port(), ca, std::make_shared<TestLogin>(kToken)),
                                      .connect_hold = 200ms});
    auto client = proxy.connect();
    const auto reply = ask(client, {"PING"});
    EXPECT_NE(reply.find("UpstreamUnreachable: 127.0.0.1:"), std::string::npos) << reply;
    EXPECT_NE(reply.find("does not speak TLS"), std::string::npos) << reply;
    for (const auto& connection : (*server)->connections()) {
        EXPECT_EQ(connection.wire.find(kToken.reveal()), std::string::npos);
    }
}

TEST(VerifiedServer, a_server_that_echoes_the_login_back_does_not_leak_it_to_clients) {
    const TestCa ca;
    RecordingOptions options;
    options.certificate = ca.server();
    options.answer = [](std::string_view bytes) {
        std::string said(bytes);
        std::replace_if(
            said.begin(), said.end(), [](char c) { return c < ' '; }, ' ');
        return "-ERR unknown command 'AUTH', with args beginning with: " + said + "\r\n";
    };
    auto server = RecordingServer::start(options);
    ASSERT_TRUE(server) << to_string(server.error());
    RunningProxy proxy;
    proxy.point_to(proxy::Destination{.to = tls_target((*server)->port(), ca, std::make_shared<TestLogin>(kToken)),
                                      .connect_hold = 200ms});
    auto client = proxy.connect();
    const auto reply = ask(client, {"PING"});
    EXPECT_EQ(reply.substr(0, 52), "-ERR cloud-valkey-proxy sessions: LoginRefused: the ") << reply;
    EXPECT_EQ(reply.find(kToken.reveal()), std::string::npos);
    const auto state = proxy.upstream();
    ASSERT_TRUE(state.last_error);
    EXPECT_EQ(state.last_error->sentence.find(kToken.reveal()), std::string::npos);
}

}  // namespace
}  // namespace cvp::test
