// Bytes in bulk, slow readers and half-closed streams: nothing lost, nothing kept.
#include <cstdlib>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/proxy/fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recording_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr std::size_t kBig = 100 * 1000 * 1000;
constexpr std::size_t kMegabyte = 1024 * 1024;
constexpr auto kBulkLimit = 120s;

/// Bytes that do not repeat, so that a lost, doubled or moved piece shows.
std::string random_bytes(std::size_t size) {
    std::mt19937_64 source(20261120);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
        const auto value = source();
        std::memcpy(bytes.data() + i, &value, 8);
    }
    return bytes;
}

std::filesystem::path release_binary() {
    const char* dir = std::getenv("CVP_RELEASE_DIR");
    return std::filesystem::path(dir != nullptr ? dir : CVP_RELEASE_DIR_DEFAULT) / "proxy/cloud-valkey-proxy";
}

std::string set_big(const std::string& value) {
    return "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
}

/// The most anonymous memory that a proxy has from the making of the object until stop(), looked at every 20 ms.
class PeakMemory {
public:
    explicit PeakMemory(const ProxyProcess& proxy)
        : watcher_([this, &proxy](std::stop_token stop) {
              while (!stop.stop_requested()) {
                  most_ = std::max(most_, proxy.memory("RssAnon"));
                  std::this_thread::sleep_for(20ms);
              }
          }) {}

    std::size_t stop() {
        watcher_.request_stop();
        if (watcher_.joinable()) watcher_.join();
        return most_;
    }

private:
    std::size_t most_ = 0;
    std::jthread watcher_;
};

class ProxyStreamTest : public ProxyFixture {
protected:
    void SetUp() override { write(document()); }
    RespClient connect() { return proxy().connect().value(); }
    static std::string text_of(const Result<RespReply>& reply) {
        return reply ? to_string(*reply) : to_string(reply.error());
    }
};

TEST_F(ProxyStreamTest, a_value_of_100_mb_goes_both_ways_unchanged) {
    start_proxy();
    await_login();
    const auto value = random_bytes(kBig);
    auto client = connect();
    ASSERT_TRUE(client.send(set_big(value), kBulkLimit));
    ASSERT_EQ(text_of(client.read_reply(kBulkLimit)), "+OK");
    const auto reply = client.command({"GET", "big"}, kBulkLimit);
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_TRUE(reply->text == value);
}

TEST_F(ProxyStreamTest, a_value_of_100_mb_and_a_reader_that_stalls_for_30_s_cost_at_most_2_mb) {
    const auto binary = release_binary();
    ASSERT_TRUE(std::filesystem::exists(binary)) << binary << " is missing: build the release preset first";
    start_proxy_from(binary);
    await_login();
    auto client = connect();
    ASSERT_EQ(text_of(client.command({"PING"})), "+PONG");
    const auto idle = proxy().memory("RssAnon");
    ASSERT_GT(idle, 0U);

    PeakMemory peak(proxy());
    const auto value = random_bytes(kBig);
    ASSERT_TRUE(client.send(set_big(value), kBulkLimit));
    ASSERT_EQ(text_of(client.read_reply(kBulkLimit)), "+OK");
    ASSERT_TRUE(client.send(encode_command({"GET", "big"})));
    std::this_thread::sleep_for(30s);  // the stall itself: there is nothing to wait for
    const auto reply = client.read_reply(kBulkLimit);
    const auto most = peak.stop();
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_TRUE(reply->text == value);
    EXPECT_LE(most, idle + 2 * kMegabyte) << "idle " << idle << ", at most " << most;
    RecordProperty("rss_anon_idle", static_cast<int>(idle));
    RecordProperty("rss_anon_peak", static_cast<int>(most));
}

TEST_F(ProxyStreamTest, a_server_that_stalls_under_a_big_write_costs_at_most_2_mb) {
    const auto binary = release_binary();
    ASSERT_TRUE(std::filesystem::exists(binary)) << binary << " is missing: build the release preset first";
    start_proxy_from(binary);
    await_login();
    auto client = connect();
    ASSERT_EQ(text_of(client.command({"PING"})), "+PONG");
    const auto idle = proxy().memory("RssAnon");
    act("pause");
    PeakMemory peak(proxy());
    const auto stuck = client.send(set_big(random_bytes(kBig)), 3s);
    ASSERT_FALSE(stuck) << "100 MB went into a server that reads nothing";
    EXPECT_EQ(stuck.error().code, ErrorCode::timeout);
    EXPECT_LE(peak.stop(), idle + 2 * kMegabyte) << "idle " << idle;
    act("resume");
}

TEST_F(ProxyStreamTest, a_server_killed_within_a_reply_leaves_its_beginning_and_nothing_invented) {
    start_proxy();
    await_login();
    const auto value = random_bytes(kBig / 5);
    auto client = connect();
    ASSERT_TRUE(client.send(set_big(value), kBulkLimit));
    ASSERT_EQ(text_of(client.read_reply(kBulkLimit)), "+OK");
    ASSERT_TRUE(client.send(encode_command({"GET", "big"})));
    const auto begin = client.stream().read_some(kBulkLimit);
    ASSERT_TRUE(begin) << to_string(begin.error());
    act("kill");
    std::string got = *begin;
    for (;;) {
        const auto piece = client.stream().read_some(kBulkLimit);
        if (!piece || piece->empty()) break;
        got += *piece;
    }
    const auto whole = "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
    EXPECT_LT(got.size(), whole.size());
    EXPECT_TRUE(whole.starts_with(got));
}

TEST_F(ProxyStreamTest, replies_to_what_was_sent_before_a_half_close_all_arrive) {
    start_proxy();
    await_login();
    auto client = connect();
    std::string commands;
    std::string replies;
    for (int i = 0; i < 200; ++i) {
        commands += encode_command({"PING", std::to_string(i)});
        const auto text = std::to_string(i);
        replies += "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    }
    ASSERT_TRUE(client.send(commands));
    client.stream().finish_writing();
    const auto bytes = client.read_to_end();
    ASSERT_TRUE(bytes) << to_string(bytes.error());
    EXPECT_EQ(*bytes, replies);
}

TEST_F(ProxyStreamTest, a_client_that_leaves_while_it_waits_swallows_no_job) {
    start_proxy();
    await_login();
    {
        auto consumer = connect();
        ASSERT_TRUE(consumer.send(encode_command({"BLPOP", "jobs", "0"})));
        ASSERT_TRUE(eventually([&] {
            const auto clients = emulator().command(kInstance, {"INFO", "clients"}).value().get<std::string>();
            return clients.find("blocked_clients:1") != std::string::npos;
        }));
    }
    ASSERT_TRUE(eventually([&] {
        const auto clients = emulator().command(kInstance, {"INFO", "clients"}).value().get<std::string>();
        return clients.find("blocked_clients:0") != std::string::npos;
    })) << "the server never heard that its client left";
    ASSERT_EQ(emulator().command(kInstance, {"RPUSH", "jobs", "job"}).value(), Json(1));
    EXPECT_EQ(emulator().command(kInstance, {"LLEN", "jobs"}).value(), Json(1));
}

TEST_F(ProxyStreamTest, what_the_server_said_before_it_closed_arrives) {
    start_proxy();
    await_login();
    auto client = connect();
    ASSERT_TRUE(client.send(encode_command({"PING"}) + encode_command({"QUIT"}) + encode_command({"PING"})));
    EXPECT_EQ(client.read_to_end().value_or("reset"), "+PONG\r\n+OK\r\n");
}

TEST_F(ProxyStreamTest, many_clients_at_once_get_their_own_answers) {
    start_proxy();
    await_login();
    std::vector<RespClient> clients;
    for (int i = 0; i < 50; ++i)
        clients.push_back(connect());
    for (std::size_t i = 0; i < clients.size(); ++i)
        ASSERT_TRUE(clients[i].send(encode_command({"ECHO", std::to_string(i)})));
    for (std::size_t i = 0; i < clients.size(); ++i)
        EXPECT_EQ(text_of(clients[i].read_reply()), "\"" + std::to_string(i) + "\"");
}

}  // namespace
}  // namespace cvp::test
