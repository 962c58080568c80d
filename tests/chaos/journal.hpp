#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include "tests/support/account.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::test {

/// An application that appends 1, 2, 3 … to a list of its own, for as long as it lives, and remembers what it was told
/// of each number: done, refused, or nothing (the connection ended). It never sends a number twice; after the end of a
/// connection it makes a new one and goes on with the next number.
///
/// Owner: a test; a thread of its own.
class Journal {
public:
    using Connect = std::function<Result<RespClient>()>;

    /// @param depth numbers that go out in one write
    Journal(std::string key, std::size_t depth, Connect connect);
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Waits until so many more numbers are done.
    bool advances(std::size_t count, std::chrono::milliseconds limit = std::chrono::seconds(20)) const;

    /// Ends it; below this line everything is still and may be asked.
    void stop();

    std::size_t done() const { return done_count_; }
    std::size_t refused() const { return refused_count_; }
    std::size_t lost_connections() const { return lost_count_; }
    const std::string& key() const { return key_; }
    /// The last error reply, "" if there was none.
    const std::string& last_refusal() const { return last_refusal_; }

    const Account& account() const { return account_; }

private:
    void run(const std::stop_token& stop);
    /// @return whether the connection lives
    bool write_batch(RespClient& client);

    std::string key_;
    std::size_t depth_;
    Connect connect_;
    Account account_ = {};
    std::string last_refusal_ = {};
    std::atomic<std::size_t> done_count_ = 0;
    std::atomic<std::size_t> refused_count_ = 0;
    std::atomic<std::size_t> lost_count_ = 0;
    std::jthread thread_;
};

}  // namespace cvp::test
