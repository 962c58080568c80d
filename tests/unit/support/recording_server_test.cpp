#include "tests/support/recording_server.hpp"

#include <gtest/gtest.h>

#include "tests/support/resp_client.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 10s;

class RecordingServerTest : public ::testing::Test {
protected:
    std::unique_ptr<RecordingServer> start(const TlsServerSettings& certificate) {
        RecordingOptions options;
        options.certificate = certificate;
        options.answer = [](std::string_view) { return std::string("+OK\r\n"); };
        auto server = RecordingServer::start(std::move(options));
        if (!server) throw std::runtime_error(to_string(server.error()));
        return std::move(*server);
    }

    TestCa ca_;
};

TEST_F(RecordingServerTest, writes_down_what_it_is_given_inside_tls) {
    const auto server = start(ca_.server());
    {
        auto client = RespClient::connect_tls("127.0.0.1", server->port(), ca_.client());
        ASSERT_TRUE(client) << to_string(client.error());
        EXPECT_EQ(to_string(client->command({"AUTH", "canary"}).value()), "+OK");
    }
    ASSERT_TRUE(server->wait_for_ended(1, kLimit));
    const auto seen = server->connections().at(0);
    EXPECT_TRUE(seen.handshake_done);
    EXPECT_EQ(seen.tls_version, "TLSv1.3");
    EXPECT_EQ(seen.application, encode_command({"AUTH", "canary"}));
    EXPECT_GT(seen.wire.size(), seen.application.size());
    EXPECT_EQ(seen.wire.find("canary"), std::string::npos);
}

TEST_F(RecordingServerTest, a_client_that_verifies_gives_no_byte_to_a_wrong_certificate) {
    const TestCa foreign("Foreign CA");
    for (const auto& certificate : {foreign.server(), ca_.server(Leaf::expired), ca_.server(Leaf::not_yet_valid),
                                    ca_.server(Leaf::other_identity), ca_.server(Leaf::common_name)}) {
        const auto server = start(certificate);
        const auto client = RespClient::connect_tls("127.0.0.1", server->port(), ca_.client());
        ASSERT_FALSE(client);
        EXPECT_EQ(client.error().code, ErrorCode::tls_failed);
        ASSERT_TRUE(server->wait_for_ended(1, kLimit));
        EXPECT_EQ(server->application_bytes(), 0U);
        EXPECT_FALSE(server->connections().at(0).handshake_done);
        EXPECT_FALSE(server->connections().at(0).wire.empty());
    }
}

TEST_F(RecordingServerTest, speaks_tls_1_1_to_who_accepts_it_and_to_nobody_else) {
    auto old = ca_.server();
    old.min_version = TlsVersion::v1_1;
    old.max_version = TlsVersion::v1_1;
    const auto server = start(old);
    EXPECT_FALSE(RespClient::connect_tls("127.0.0.1", server->port(), ca_.client()));
    auto lax = ca_.client();
    lax.min_version = TlsVersion::v1_0;
    auto client = RespClient::connect_tls("127.0.0.1", server->port(), lax);
    ASSERT_TRUE(client) << to_string(client.error());
    EXPECT_EQ(client->stream().tls_version(), "TLSv1.1");
}

TEST_F(RecordingServerTest, a_token_sent_in_the_clear_is_seen_on_the_wire) {
    const auto server = start(ca_.server());
    {
        auto careless = RespClient::connect("127.0.0.1", server->port());
        ASSERT_TRUE(careless);
        ASSERT_TRUE(careless->send(encode_command({"AUTH", "canary"})));
        EXPECT_FALSE(careless->read_reply());
    }
    ASSERT_TRUE(server->wait_for_ended(1, kLimit));
    EXPECT_NE(server->connections().at(0).wire.find("canary"), std::string::npos);
    EXPECT_EQ(server->application_bytes(), 0U);
}

TEST_F(RecordingServerTest, reads_plain_where_told_so) {
    RecordingOptions options;
    options.tls = false;
    const auto server = RecordingServer::start(std::move(options)).value();
    {
        auto client = RespClient::connect("127.0.0.1", server->port());
        ASSERT_TRUE(client);
        ASSERT_TRUE(client->send("hello"));
        ASSERT_TRUE(server->wait_for_application_bytes(5, kLimit));
    }
    ASSERT_TRUE(server->wait_for_ended(1, kLimit));
    EXPECT_EQ(server->connections().at(0).application, "hello");
}

}  // namespace
}  // namespace cvp::test
