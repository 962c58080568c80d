// The proxy's data path against a real Valkey with TLS and a password.
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/integration/proxy_data/memory.hpp"
#include "tests/integration/proxy_data/running_proxy.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

const Secret kToken("ya29.c3VyZWx5LW5vdC1hLXRva2Vu");

class RelayTest : public ::testing::Test {
protected:
    RelayTest() {
        ValkeyOptions options;
        options.dir = dir_.path();
        options.tls = ca_.valkey();
        options.passwords = {kToken};
        auto started = ValkeyServer::start(options);
        if (!started) throw std::runtime_error(to_string(started.error()));
        valkey_.emplace(*std::move(started));
        proxy_.point_to(tls_target(valkey_->port(), ca_, login_));
    }

    std::string admin(const std::vector<std::string>& words) {
        const auto text = valkey_->admin(words);
        return text ? to_string(*text) : to_string(text.error());
    }

    TempDir dir_;
    TestCa ca_;
    std::optional<ValkeyServer> valkey_;
    std::shared_ptr<TestLogin> login_ = std::make_shared<TestLogin>(kToken);
    RunningProxy proxy_;
};

TEST_F(RelayTest, a_plain_client_uses_a_server_with_tls_and_a_password) {
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"SET", "k", "v"}), "+OK");
    EXPECT_EQ(ask(client, {"GET", "k"}), "\"v\"");

    ASSERT_TRUE(proxy_.wait_until_proven());
    const auto state = proxy_.upstream();
    EXPECT_EQ(state.tls_version, "TLSv1.3");
    EXPECT_EQ(state.verified_identity, "ip:127.0.0.1");
    EXPECT_EQ(state.peer, "127.0.0.1:" + std::to_string(valkey_->port()));
    const auto stats = proxy_.stats();
    EXPECT_EQ(stats.clients_open, 1u);
    EXPECT_EQ(stats.upstream_open, 1u);
    EXPECT_GT(stats.bytes_from_clients, 0u);
    EXPECT_EQ(stats.bytes_to_clients, std::string("+OK\r\n$1\r\nv\r\n").size());
}

TEST_F(RelayTest, logs_in_with_a_username_where_one_is_given) {
    auto target = tls_target(valkey_->port(), ca_, login_);
    target.username = "default";
    proxy_.point_to(std::move(target));
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"ACL", "WHOAMI"}), "\"default\"");
}

TEST_F(RelayTest, connections_after_the_first_resume_its_tls_session) {
    ASSERT_TRUE(proxy_.wait_until_proven());
    for (std::uint64_t i = 1; i <= 10; ++i) {
        {
            auto client = proxy_.connect();
            ASSERT_EQ(ask(client, {"PING"}), "+PONG");
            // However a client ends: a connection cut short must not spoil the ticket it brought.
            if (i % 2 == 0) client.stream().reset_on_close();
        }
        ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.upstream_open == 0; }));
    }
    // The spare that the last client took is made anew after it.
    EXPECT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.handshakes_ok >= 11; }));
    EXPECT_GE(proxy_.stats().handshakes_resumed, 9u);
}

TEST_F(RelayTest, a_pool_that_is_opened_at_once_resumes_as_well) {
    constexpr std::size_t kPool = 50;  // more than there are tickets
    ASSERT_TRUE(proxy_.wait_until_proven());
    std::vector<RespClient> pool;
    for (std::size_t i = 0; i < kPool; ++i) {
        pool.push_back(proxy_.connect());
        ASSERT_TRUE(pool.back().send(encode_command({"PING"})));
    }
    for (auto& client : pool)
        EXPECT_TRUE(client.read_reply());
    const auto stats = proxy_.stats();
    EXPECT_GE(stats.handshakes_ok, kPool);
    EXPECT_EQ(stats.handshakes_ok - stats.handshakes_resumed, 1u) << "the very first";
}

TEST_F(RelayTest, a_client_that_says_nothing_costs_no_upstream_connection) {
    ASSERT_TRUE(proxy_.wait_until_proven());
    const auto before = proxy_.stats().dials_total;
    auto silent = proxy_.connect();
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 1; }));
    auto other = proxy_.connect();
    EXPECT_EQ(ask(other, {"PING"}), "+PONG");
    EXPECT_EQ(proxy_.stats().dials_total, before + 1);
}

TEST_F(RelayTest, dials_a_server_by_name) {
    auto target = tls_target(valkey_->port(), ca_, login_, "localhost");
    proxy_.point_to(std::move(target));
    auto client = proxy_.connect();
    EXPECT_EQ(ask(client, {"PING"}), "+PONG");
}

TEST_F(RelayTest, serves_ipv6_clients) {
    RunningProxy six("::1");
    six.point_to(tls_target(valkey_->port(), ca_, login_));
    auto client = six.connect();
    EXPECT_EQ(ask(client, {"PING"}), "+PONG");
}

TEST_F(RelayTest, clients_side_by_side_get_their_own_replies) {
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int id = 0; id < 8; ++id) {
        threads.emplace_back([this, id, &right] {
            auto client = proxy_.connect();
            for (int round = 0; round < 50; ++round) {
                std::string batch, expected;
                for (int i = 0; i < 20; ++i) {
                    const auto word = std::to_string(id) + "." + std::to_string(round) + "." + std::to_string(i);
                    batch += encode_command({"ECHO", word});
                    expected += word;
                }
                if (!client.send(batch)) return;
                std::string got;
                for (int i = 0; i < 20; ++i) {
                    const auto reply = client.read_reply();
                    if (!reply) return;
                    got += reply->text;
                }
                right += got == expected ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(right, 8 * 50);
}

/// Pieces of a value that is never whole in memory: this process is also the one that is measured.
class Pattern {
public:
    explicit Pattern(std::size_t size) : left_(size) {}
    std::string_view next() {
        const auto part = std::min(left_, bytes().size());
        left_ -= part;
        return std::string_view(bytes()).substr(0, part);
    }
    bool done() const { return left_ == 0; }
    static const std::string& bytes() {
        static const std::string kBytes = [] {
            std::string made(1 << 16, '\0');
            unsigned x = 1;
            for (auto& c : made)
                c = static_cast<char>((x = x * 1664525u + 1013904223u) >> 24);
            return made;
        }();
        return kBytes;
    }

private:
    std::size_t left_;
};

constexpr std::size_t kHuge = 100u << 20;

std::string set_header(const std::string& key, std::size_t size) {
    return "*3\r\n$3\r\nSET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$" + std::to_string(size) + "\r\n";
}

/// Reads `size` bytes from a socket into one small buffer, comparing them with the pattern.
bool read_pattern(int fd, std::size_t size, const std::function<void()>& meanwhile) {
    static std::array<char, 1 << 16> buffer;
    std::size_t at = 0;
    while (at < size) {
        const auto want = std::min(buffer.size() - at % buffer.size(), size - at);
        const auto got = ::recv(fd, buffer.data(), want, 0);
        if (got <= 0) return false;
        const auto& bytes = Pattern::bytes();
        if (std::string_view(buffer.data(), static_cast<std::size_t>(got)) !=
            std::string_view(bytes).substr(at % bytes.size(), static_cast<std::size_t>(got))) {
            return false;
        }
        at += static_cast<std::size_t>(got);
        meanwhile();
    }
    return true;
}

bool skip(int fd, std::string_view expected) {
    std::string got(expected.size(), '\0');
    return ::recv(fd, got.data(), got.size(), MSG_WAITALL) == static_cast<ssize_t>(expected.size()) && got == expected;
}

void set_blocking(int fd) {
    const timeval limit{.tv_sec = 60, .tv_usec = 0};
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

TEST_F(RelayTest, a_value_of_100_MB_passes_both_ways_within_2_MB_of_memory) {
    auto client = proxy_.connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    const int fd = client.stream().fd();
    set_blocking(fd);
    Pattern::bytes();
    const auto idle = memory_in_use();
    std::size_t most = idle;
    const auto measure = [&] { most = std::max(most, memory_in_use()); };

    const auto header = set_header("huge", kHuge);
    ASSERT_EQ(::send(fd, header.data(), header.size(), 0), static_cast<ssize_t>(header.size()));
    for (Pattern pattern(kHuge); !pattern.done();) {
        const auto part = pattern.next();
        ASSERT_EQ(::send(fd, part.data(), part.size(), 0), static_cast<ssize_t>(part.size()));
        measure();
    }
    ASSERT_EQ(::send(fd, "\r\n", 2, 0), 2);
    ASSERT_TRUE(skip(fd, "+OK\r\n"));

    const auto get = encode_command({"GET", "huge"});
    ASSERT_EQ(::send(fd, get.data(), get.size(), 0), static_cast<ssize_t>(get.size()));
    ASSERT_TRUE(skip(fd, "$" + std::to_string(kHuge) + "\r\n"));
    ASSERT_TRUE(read_pattern(fd, kHuge, measure));
    ASSERT_TRUE(skip(fd, "\r\n"));
    EXPECT_LE(most - idle, 2u << 20);
    std::printf("100 MB both ways: %zu KiB above idle\n", (most - idle) / 1024);
}

TEST_F(RelayTest, a_reader_that_stalls_for_30_s_costs_less_than_2_MB_and_loses_nothing) {
    auto client = proxy_.connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    {
        auto loader = proxy_.connect();
        ASSERT_TRUE(loader.send(set_header("huge", kHuge)));
        for (Pattern pattern(kHuge); !pattern.done();)
            ASSERT_TRUE(loader.send(pattern.next()));
        ASSERT_TRUE(loader.send("\r\n"));
        ASSERT_EQ(to_string(*loader.read_reply()), "+OK");
    }
    ASSERT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 1; }));
    const int fd = client.stream().fd();
    set_blocking(fd);
    const auto idle = memory_in_use();
    const auto get = encode_command({"GET", "huge"});
    ASSERT_EQ(::send(fd, get.data(), get.size(), 0), static_cast<ssize_t>(get.size()));
    std::size_t most = idle;
    for (const auto until = SteadyClock::now() + 30s; SteadyClock::now() < until;) {
        std::this_thread::sleep_for(20ms);
        most = std::max(most, memory_in_use());
    }
    EXPECT_LE(most - idle, 2u << 20);
    std::printf("stalled reader: %zu KiB above idle\n", (most - idle) / 1024);
    ASSERT_TRUE(skip(fd, "$" + std::to_string(kHuge) + "\r\n"));
    ASSERT_TRUE(read_pattern(fd, kHuge, [] {}));
    ASSERT_TRUE(skip(fd, "\r\n"));
}

TEST_F(RelayTest, a_client_may_write_everything_before_it_reads_anything) {
    auto client = proxy_.connect();
    const std::string value(3000, 'v');
    ASSERT_EQ(ask(client, {"SET", "k", value}), "+OK");
    constexpr int kCommands = 10'000;  // 30 MB of replies
    std::string batch;
    for (int i = 0; i < kCommands; ++i)
        batch += encode_command({"GET", "k"});
    ASSERT_TRUE(client.send(batch));
    for (int i = 0; i < kCommands; ++i) {
        const auto reply = client.read_reply();
        ASSERT_TRUE(reply) << i << ": " << to_string(reply.error());
        ASSERT_EQ(reply->text.size(), value.size());
    }
}

TEST_F(RelayTest, a_client_that_half_closes_still_gets_its_replies) {
    auto client = proxy_.connect();
    ASSERT_TRUE(client.send(encode_command({"SET", "k", "v"}) + encode_command({"GET", "k"})));
    client.stream().finish_writing();
    const auto all = client.read_to_end();
    ASSERT_TRUE(all) << to_string(all.error());
    EXPECT_EQ(*all, "+OK\r\n$1\r\nv\r\n");
    EXPECT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 0 && stats.upstream_open == 0; }));
}

TEST_F(RelayTest, a_job_is_not_popped_for_a_consumer_that_went_away) {
    {
        auto consumer = proxy_.connect();
        ASSERT_TRUE(consumer.send(encode_command({"BLPOP", "jobs", "0"})));
        ASSERT_TRUE(proxy_.wait_for([&](const auto&) {
            return admin({"INFO", "clients"}).find("blocked_clients:1") != std::string::npos;
        }));
    }
    // Well before the proxy would close the upstream connection by itself.
    ASSERT_TRUE(proxy_.wait_for(
        [&](const auto&) {
            return admin({"INFO", "clients"}).find("blocked_clients:0") != std::string::npos;
        },
        700ms));
    EXPECT_EQ(admin({"RPUSH", "jobs", "one"}), "1");
    EXPECT_EQ(admin({"LLEN", "jobs"}), "1");
}

TEST_F(RelayTest, a_client_that_resets_takes_its_upstream_connection_with_it) {
    {
        auto client = proxy_.connect();
        ASSERT_EQ(ask(client, {"PING"}), "+PONG");
        client.stream().reset_on_close();
    }
    EXPECT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 0 && stats.upstream_open == 0; }));
}

TEST_F(RelayTest, the_last_words_of_a_server_that_closes_on_a_client_arrive) {
    for (int round = 0; round < 20; ++round) {
        auto client = proxy_.connect();
        ASSERT_EQ(ask(client, {"PING"}), "+PONG");
        // The server answers the first line and closes while megabytes are still on their way to it.
        ASSERT_TRUE(client.send("*1\r\nPING\r\n"));
        const std::string more(1 << 16, 'x');
        for (int i = 0; i < 16 && client.send(more); ++i) {
        }
        const auto words = client.read_reply();
        ASSERT_TRUE(words) << round << ": " << to_string(words.error());
        EXPECT_EQ(to_string(*words).substr(0, 19), "-ERR Protocol error") << to_string(*words);
        EXPECT_EQ(client.read_to_end().value_or("reset"), "");
    }
}

TEST_F(RelayTest, a_killed_server_is_an_end_of_stream_and_no_invented_error) {
    auto client = proxy_.connect();
    ASSERT_EQ(ask(client, {"PING"}), "+PONG");
    valkey_->kill();
    const auto rest = client.read_to_end();
    EXPECT_EQ(rest.value_or(""), "");
    EXPECT_TRUE(proxy_.wait_for([](const auto& stats) { return stats.clients_open == 0 || stats.upstream_open == 0; }));

    auto next = proxy_.connect();
    const auto reply = ask(next, {"PING"});
    EXPECT_EQ(reply.substr(0, 60), "-LOADING cloud-valkey-proxy sessions: UpstreamUnreachable: 1") << reply;
    EXPECT_EQ(next.read_to_end().value_or("?"), "");

    ASSERT_TRUE(valkey_->restart());
    ASSERT_TRUE(proxy_.wait_for([this](const auto&) { return !proxy_.upstream().cooling_down; }));
    auto after = proxy_.connect();
    EXPECT_EQ(ask(after, {"PING"}), "+PONG");
}

}  // namespace
}  // namespace cvp::test
