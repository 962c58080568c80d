// The unix socket beside TCP: the same server behind it, its file made and removed with care.
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/integration/proxy/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int kCannotBind = 69;

class ProxyUnixSocketTest : public ProxyFixture {
protected:
    void start(const std::vector<std::string>& more = {}) {
        write(document());
        auto arguments = more;
        arguments.push_back("--unix-socket=" + socket_.string());
        start_proxy(arguments);
        await_login();
    }
    std::string ask_socket(const std::vector<std::string>& words) {
        auto client = RespClient::connect_unix(socket_);
        if (!client) return to_string(client.error());
        const auto reply = client->command(words);
        auto text = reply ? to_string(*reply) : to_string(reply.error());
        keep("answer to a client of the unix socket", text);
        return text;
    }
    mode_t mode() const {
        struct stat status {};
        EXPECT_EQ(::lstat(socket_.c_str(), &status), 0);
        return status.st_mode & 07777;
    }

    fs::path socket_ = dir_.path() / "valkey.sock";
};

TEST_F(ProxyUnixSocketTest, leads_to_the_same_server_as_the_port) {
    start();
    EXPECT_EQ(ask_socket({"SET", "k", "by the socket"}), "+OK");
    EXPECT_EQ(ask({"GET", "k"}), "\"by the socket\"");
    const std::string big(3 << 20, 'x');
    EXPECT_EQ(ask_socket({"SET", "big", big}), "+OK");
    EXPECT_EQ(ask_socket({"STRLEN", "big"}), std::to_string(big.size()));
}

TEST_F(ProxyUnixSocketTest, is_seen_in_status_and_metrics) {
    start();
    ASSERT_EQ(ask_socket({"PING"}), "+PONG");
    ASSERT_EQ(ask_socket({"PING"}), "+PONG");
    ASSERT_EQ(ask({"PING"}), "+PONG");
    EXPECT_EQ(proxy().metric("cloudvalkey_proxy_unix_clients_total"), 2);
    EXPECT_GE(proxy().metric("cloudvalkey_proxy_clients_total"), 3);
    const auto port = proxy().status()["connections"][0]["ports"][0];
    EXPECT_EQ(port["unixSocket"], socket_.string());
    EXPECT_EQ(port["counters"]["unixClients"], 2);
}

TEST_F(ProxyUnixSocketTest, is_for_the_proxys_own_user_unless_a_mode_is_given) {
    start();
    EXPECT_EQ(mode(), 0600u);
    proxy().process().stop();
    start({"--unix-socket-mode=0666"});
    EXPECT_EQ(mode(), 0666u);
}

TEST_F(ProxyUnixSocketTest, goes_when_the_proxy_ends_and_comes_back_after_a_kill) {
    start();
    proxy().process().signal(SIGTERM);
    ASSERT_EQ(proxy().process().wait(15s), 0);
    EXPECT_FALSE(fs::exists(socket_));

    start();
    proxy().process().signal(SIGKILL);
    ASSERT_TRUE(proxy().process().wait(15s));
    ASSERT_TRUE(fs::exists(socket_)) << "a killed process takes nothing along";
    start();
    EXPECT_EQ(ask_socket({"PING"}), "+PONG");
}

TEST_F(ProxyUnixSocketTest, is_gone_for_new_clients_while_the_old_ones_are_drained) {
    start({"--max-drain=20s"});
    auto client = RespClient::connect_unix(socket_).value();
    ASSERT_TRUE(client.command({"PING"}));
    ASSERT_TRUE(client.send(encode_command({"BLPOP", "nothing", "0"})));
    ASSERT_TRUE(eventually([&] { return ask({"CLIENT", "LIST"}).find("cmd=blpop") != std::string::npos; }));
    proxy().process().signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return !fs::exists(socket_); }));
    act("command", {{"words", {"RPUSH", "nothing", "v"}}});
    const auto reply = client.read_reply();
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_EQ(to_string(*reply), R"(["nothing", "v"])") << "the waiting client is served";
}

TEST_F(ProxyUnixSocketTest, that_another_process_serves_ends_the_start_with_69) {
    start();
    ProcessOptions second;
    second.argv = {CVP_PROXY_BINARY,
                   "--config=" + (dir_.path() / "config/connection.yaml").string(),
                   "--admin-listen=off",
                   "--port=" + std::to_string(free_port().value()),
                   "--readers-port=" + std::to_string(free_port().value()),
                   "--unix-socket=" + socket_.string()};
    const auto result = run_command(second);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, kCannotBind) << result->err;
    EXPECT_NE(result->err.find(socket_.string() + ": another process serves it"), std::string::npos) << result->err;
    EXPECT_EQ(ask_socket({"PING"}), "+PONG") << "the first one is not disturbed";
}

}  // namespace
}  // namespace cvp::test
