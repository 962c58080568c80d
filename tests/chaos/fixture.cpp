#include "tests/chaos/fixture.hpp"

#include <iostream>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

/// Numbers that must be written before a fault, and after it, for the fault to be one under load.
constexpr std::array<std::size_t, 3> kDepths = {1, 1, 16};

ProxiedValkeyOptions completed(ProxiedValkeyOptions options) {
    // What was written before a kill -9 is the kernel's; an fsync would only let a busy disk stop the server.
    options.proxy_binary = CVP_PROXY_BINARY;
    options.server_lines.insert(options.server_lines.end(),
                                {"enable-debug-command yes", "loglevel verbose", "appendonly yes", "appendfsync no"});
    return options;
}

}  // namespace

void ChaosTest::start_server(ProxiedValkeyOptions options) {
    valkey_.emplace(completed(std::move(options)));
    pipe_.emplace(server().port());
}

void ChaosTest::start(ProxiedValkeyOptions options) {
    start_server(std::move(options));
    valkey_->start_proxy();
}

void ChaosTest::start_piped(ProxiedValkeyOptions options) {
    start_server(std::move(options));
    valkey_->start_proxy(valkey_->document(pipe_->port()));
}

void ChaosTest::TearDown() {
    journals_.clear();
    if (!HasFailure() || !valkey_) return;
    std::cerr << "proxy's log:\n" << tail_of(valkey_->dir() / "proxy.log", 40) << '\n';
    std::cerr << "server's log:\n" << tail_of(server().log_file(), 10) << '\n';
}

std::string ChaosTest::ask(RespClient& client, const std::vector<std::string>& words, RespClient::Limit limit) {
    const auto reply = client.command(words, limit);
    return reply ? to_string(*reply) : to_string(reply.error());
}

Ending ChaosTest::read_ending(RespClient& client, RespClient::Limit limit) {
    Ending ending;
    for (;;) {
        const auto piece = client.stream().read_some(limit);
        if (!piece) {
            ending.was_reset = piece.error().code == ErrorCode::unavailable;
            ending.has_ended = ending.was_reset;
            return ending;
        }
        ending.has_ended = piece->empty();
        if (ending.has_ended) return ending;
        ending.bytes += *piece;
    }
}

void ChaosTest::let_proxy_catch_up() {
    if (!eventually([&] { return proxy().ask({"PING"}) == "+PONG"; }))
        throw std::runtime_error("the proxy serves no new client");
}

void ChaosTest::kill_upstreams() {
    const auto killed = admin({"CLIENT", "KILL", "TYPE", "normal"});
    ASSERT_TRUE(killed.find_first_not_of("0123456789") == std::string::npos) << killed;
    let_proxy_catch_up();
}

void ChaosTest::start_journals() {
    for (std::size_t i = 0; i < kDepths.size(); ++i)
        journals_.push_back(std::make_unique<Journal>("journal:" + std::to_string(i), kDepths[i],
                                                      [this] { return proxy().connect(); }));
    ASSERT_TRUE(journals_advance(20));
}

::testing::AssertionResult ChaosTest::journals_advance(std::size_t count, std::chrono::milliseconds limit) {
    for (const auto& journal : journals_)
        if (!journal->advances(count, limit))
            return ::testing::AssertionFailure()
                   << journal->key() << " does not get on; done " << journal->done() << ", refused "
                   << journal->refused() << ", connections lost " << journal->lost_connections();
    return ::testing::AssertionSuccess();
}

void ChaosTest::expect_journals_true() {
    for (const auto& journal : journals_) {
        journal->stop();
        const auto list = server().admin({"LRANGE", journal->key(), "0", "-1"});
        ASSERT_TRUE(list) << to_string(list.error());
        std::vector<std::string> numbers;
        for (const auto& element : list->elements)
            numbers.push_back(element.text);
        EXPECT_EQ(find_fault(journal->account(), numbers), "") << journal->key() << ", of " << numbers.size();
    }
}

void ChaosTest::expect_journals_undisturbed() {
    expect_journals_true();
    for (const auto& journal : journals_) {
        EXPECT_EQ(journal->refused(), 0u) << journal->key() << ": " << journal->last_refusal();
        EXPECT_EQ(journal->lost_connections(), 0u) << journal->key();
    }
}

::testing::AssertionResult is_local_error(const std::string& bytes, const std::string& kind, const std::string& cause) {
    const auto begin = "-" + kind + " cloud-valkey-proxy sessions: " + cause;
    if (!bytes.starts_with(begin)) return ::testing::AssertionFailure() << "not " << begin << "…: " << bytes;
    if (bytes.find("\r\n") != bytes.size() - 2) return ::testing::AssertionFailure() << "not one line: " << bytes;
    return ::testing::AssertionSuccess();
}

}  // namespace cvp::test
