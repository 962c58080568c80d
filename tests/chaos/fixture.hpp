#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/chaos/journal.hpp"
#include "tests/support/fault_pipe.hpp"
#include "tests/support/proxied_valkey.hpp"

namespace cvp::test {

/// How a client's connection ended, and what came before.
struct Ending {
    std::string bytes;
    bool has_ended = false;  ///< by FIN or RST; false: it is still open
    bool was_reset = false;
};

/// A Valkey with TLS and a password, the proxy before it, and on request a pipe between the two that breaks.
///
/// Clients of the proxy are blocking ones. A test that fails shows the end of the proxy's log.
class ChaosTest : public ::testing::Test {
protected:
    void TearDown() override;

    /// Starts server and proxy. By default without warm spares, so that every client's connection is its own dial.
    void start() { start({}); }
    void start(ProxiedValkeyOptions options);
    /// The same with the pipe between them.
    void start_piped() { start_piped({}); }
    void start_piped(ProxiedValkeyOptions options);
    /// The server and the pipe alone; what is missing is for the test.
    void start_server(ProxiedValkeyOptions options);

    ProxiedValkey& valkey() { return *valkey_; }
    ValkeyServer& server() { return valkey_->server(); }
    ProxyProcess& proxy() { return valkey_->proxy(); }
    FaultPipe& pipe() { return *pipe_; }
    std::string admin(const std::vector<std::string>& words) { return valkey_->admin(words); }

    RespClient connect() { return valkey_->connect(); }
    /// One command: its reply as a line of text, or the error's.
    static std::string ask(RespClient& client, const std::vector<std::string>& words,
                           RespClient::Limit limit = RespClient::kLimit);
    /// All that a client gets until its connection ends, or `limit` passes without a byte.
    static Ending read_ending(RespClient& client, RespClient::Limit limit = RespClient::kLimit);

    /// Cuts all connections of the proxy at the server, and waits until the proxy has seen it: a command that is sent
    /// from now on was sent after the cut.
    void kill_upstreams();
    /// Waits until the proxy has handled all that happened up to now, which a whole round trip of another client shows.
    void let_proxy_catch_up();

    /// Applications that write, one by one or 16 at once.
    void start_journals();
    /// Waits until each of them has written so many more.
    ::testing::AssertionResult journals_advance(std::size_t count,
                                                std::chrono::milliseconds limit = std::chrono::seconds(20));
    /// Ends them and compares with what the server has: nothing acknowledged is lost, nothing was executed twice.
    void expect_journals_true();
    /// As above, and no application noticed anything.
    void expect_journals_undisturbed();

    std::vector<std::unique_ptr<Journal>> journals_;

private:
    std::optional<ProxiedValkey> valkey_;
    std::optional<FaultPipe> pipe_;
};

/// Whether it is the proxy's own error of that cause, and nothing else: `-LOADING cloud-valkey-proxy sessions: CAUSE…`,
/// one line.
::testing::AssertionResult is_local_error(const std::string& bytes, const std::string& kind, const std::string& cause);

}  // namespace cvp::test
