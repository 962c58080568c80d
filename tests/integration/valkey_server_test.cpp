#include "tests/support/valkey_server.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

const Secret kPassword("ya29.the-first-password");
const Secret kOther("ya29.the-second-password");

std::string text_of(const Secret& secret) {
    return std::string(secret.reveal());
}

class ValkeyServerTest : public ::testing::Test {
protected:
    ValkeyOptions options() const {
        ValkeyOptions options;
        options.dir = dir_.path();
        options.tls = ca_.valkey();
        options.passwords = {kPassword};
        return options;
    }

    /// A verified connection, or a failed test.
    RespClient connect(const ValkeyServer& server) const {
        auto client = RespClient::connect_tls("127.0.0.1", server.port(), ca_.client());
        if (!client) throw std::runtime_error(to_string(client.error()));
        return std::move(*client);
    }

    static std::string ask(RespClient& client, const std::vector<std::string>& words) {
        const auto reply = client.command(words);
        return reply ? to_string(*reply) : to_string(reply.error());
    }

    TempDir dir_;
    TestCa ca_;
};

TEST_F(ValkeyServerTest, speaks_tls_alone_and_lets_nobody_in_without_a_password) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    EXPECT_EQ(server->admin({"CONFIG", "GET", "port"})->elements.at(1).text, "0");

    auto client = connect(*server);
    EXPECT_EQ(client.stream().tls_version(), "TLSv1.3");
    EXPECT_EQ(ask(client, {"PING"}), "-NOAUTH Authentication required.");
    EXPECT_EQ(ask(client, {"AUTH", text_of(kOther)}), "-WRONGPASS invalid username-password pair or user is disabled.");
    EXPECT_EQ(ask(client, {"AUTH", text_of(kPassword)}), "+OK");
    EXPECT_EQ(ask(client, {"AUTH", "default", text_of(kPassword)}), "+OK");
    EXPECT_EQ(ask(client, {"SET", "k", "v"}), "+OK");

    auto plain = RespClient::connect("127.0.0.1", server->port());
    ASSERT_TRUE(plain);
    EXPECT_FALSE(plain->command({"PING"}));
}

TEST_F(ValkeyServerTest, a_refused_password_logs_in_no_more_while_its_live_session_goes_on) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    auto old_session = connect(*server);
    ASSERT_EQ(ask(old_session, {"AUTH", text_of(kPassword)}), "+OK");

    ASSERT_TRUE(server->allow(kOther));
    ASSERT_TRUE(server->refuse(kPassword));

    auto client = connect(*server);
    EXPECT_EQ(ask(client, {"AUTH", text_of(kPassword)}),
              "-WRONGPASS invalid username-password pair or user is disabled.");
    EXPECT_EQ(ask(client, {"AUTH", text_of(kOther)}), "+OK");
    EXPECT_EQ(ask(old_session, {"PING"}), "+PONG");
}

TEST_F(ValkeyServerTest, without_a_password_nobody_gets_in_and_with_authentication_off_everybody) {
    auto closed = options();
    closed.passwords.clear();
    auto server = ValkeyServer::start(std::move(closed));
    ASSERT_TRUE(server) << to_string(server.error());
    auto client = connect(*server);
    EXPECT_EQ(ask(client, {"PING"}), "-NOAUTH Authentication required.");
    ASSERT_TRUE(server->require_password(false));
    auto open = connect(*server);
    EXPECT_EQ(ask(open, {"PING"}), "+PONG");
    ASSERT_TRUE(server->require_password(true));
    auto shut = connect(*server);
    EXPECT_EQ(ask(shut, {"PING"}), "-NOAUTH Authentication required.");
}

TEST_F(ValkeyServerTest, shows_another_certificate_from_the_next_handshake_on) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    auto session = connect(*server);
    for (const bool again : {false, true}) {
        const TestCa new_ca(again ? "Third CA" : "Second CA");
        ASSERT_TRUE(server->show(new_ca.valkey()));
        EXPECT_TRUE(RespClient::connect_tls("127.0.0.1", server->port(), new_ca.client()));
        const auto refused = RespClient::connect_tls("127.0.0.1", server->port(), ca_.client());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::tls_failed);
    }
    EXPECT_EQ(ask(session, {"PING"}), "-NOAUTH Authentication required.");
}

TEST_F(ValkeyServerTest, keeps_data_and_passwords_when_it_moves_to_another_port) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    const auto old_port = server->port();
    ASSERT_TRUE(server->admin_text({"SET", "k", "v"}));
    ASSERT_TRUE(server->allow(kOther));
    ASSERT_TRUE(server->restart(0));
    EXPECT_NE(server->port(), old_port);
    EXPECT_FALSE(RespClient::connect("127.0.0.1", old_port));
    auto client = connect(*server);
    EXPECT_EQ(ask(client, {"AUTH", text_of(kOther)}), "+OK");
    EXPECT_EQ(ask(client, {"GET", "k"}), "\"v\"");
}

TEST_F(ValkeyServerTest, takes_nothing_back_that_it_acknowledged_before_a_restart) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    auto client = connect(*server);
    ASSERT_EQ(ask(client, {"AUTH", text_of(kPassword)}), "+OK");
    std::atomic<int> acknowledged = 0;
    std::jthread writer([&] {
        while (client.command({"INCR", "n"}))
            ++acknowledged;
    });
    ASSERT_TRUE(eventually([&] { return acknowledged > 100; }));
    ASSERT_TRUE(server->restart());
    writer.join();
    // One more may have been executed whose answer the end came before.
    EXPECT_GE(std::stoi(server->admin_text({"GET", "n"}).value()), acknowledged);
}

TEST_F(ValkeyServerTest, dies_by_kill_and_comes_back_on_its_port) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    const auto port = server->port();
    auto client = connect(*server);
    server->kill();
    EXPECT_FALSE(server->is_running());
    EXPECT_FALSE(client.command({"PING"}));
    EXPECT_FALSE(RespClient::connect("127.0.0.1", port));
    ASSERT_TRUE(server->restart());
    EXPECT_EQ(server->port(), port);
    EXPECT_EQ(server->admin_text({"PING"}).value(), "PONG");
}

TEST_F(ValkeyServerTest, answers_nothing_while_paused_and_learns_afterwards_what_was_allowed) {
    auto server = ValkeyServer::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    auto client = connect(*server);
    server->pause();
    const auto silence = client.command({"PING"}, 100ms);
    ASSERT_FALSE(silence);
    EXPECT_EQ(silence.error().code, ErrorCode::timeout);
    ASSERT_TRUE(server->allow(kOther));
    ASSERT_TRUE(server->resume());
    EXPECT_EQ(to_string(client.read_reply().value()), "-NOAUTH Authentication required.");
    EXPECT_EQ(ask(client, {"AUTH", text_of(kOther)}), "+OK");
}

TEST_F(ValkeyServerTest, serves_plain_where_tls_is_off) {
    auto plain = options();
    plain.tls.reset();
    auto server = ValkeyServer::start(std::move(plain));
    ASSERT_TRUE(server) << to_string(server.error());
    auto client = RespClient::connect("127.0.0.1", server->port());
    ASSERT_TRUE(client);
    EXPECT_EQ(ask(*client, {"AUTH", text_of(kPassword)}), "+OK");
}

TEST_F(ValkeyServerTest, a_replica_on_another_address_follows_its_primary) {
    auto primary = ValkeyServer::start(options());
    ASSERT_TRUE(primary) << to_string(primary.error());
    const TempDir replica_dir;
    auto options = this->options();
    options.dir = replica_dir.path();
    options.bind = "127.0.0.2";
    options.tls = ca_.valkey(Leaf::good, {"127.0.0.2"});
    options.replica_of = {"127.0.0.1", primary->port()};
    options.admin_password = primary->admin_password();
    auto replica = ValkeyServer::start(std::move(options));
    ASSERT_TRUE(replica) << to_string(replica.error());

    ASSERT_TRUE(primary->admin_text({"SET", "k", "v"}));
    EXPECT_EQ(to_string(primary->admin({"WAIT", "1", "10000"}).value()), "1");
    auto client = RespClient::connect_tls("127.0.0.2", replica->port(), ca_.client("127.0.0.2"));
    ASSERT_TRUE(client) << to_string(client.error());
    EXPECT_EQ(ask(*client, {"AUTH", text_of(kPassword)}), "+OK");
    EXPECT_EQ(ask(*client, {"GET", "k"}), "\"v\"");
    EXPECT_EQ(ask(*client, {"SET", "k", "w"}), "-READONLY You can't write against a read only replica.");
}

TEST_F(ValkeyServerTest, is_administered_in_a_directory_of_any_depth) {
    auto deep = options();
    deep.dir /= std::string(120, 'd');
    std::filesystem::create_directories(deep.dir);
    auto server = ValkeyServer::start(std::move(deep));
    ASSERT_TRUE(server) << to_string(server.error());
    EXPECT_EQ(server->admin_text({"PING"}).value(), "PONG");
}

TEST_F(ValkeyServerTest, says_why_it_did_not_start) {
    auto odd = options();
    odd.extra_lines = {"no-such-directive yes"};
    const auto server = ValkeyServer::start(std::move(odd));
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, ErrorCode::unavailable);
    EXPECT_NE(server.error().context.find("no-such-directive"), std::string::npos) << server.error().context;
}

}  // namespace
}  // namespace cvp::test
