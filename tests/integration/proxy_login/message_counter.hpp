#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/resp_client.hpp"

namespace cvp::test {

/// A subscriber that checks what it gets: messages 0, 1, 2, … of a channel, each followed by the same once more for the
/// pattern, nothing lost, doubled or out of order. It never connects again: its connection must not end.
///
/// Owner: a test. A thread of its own reads until message `last` came, something is wrong, or nothing comes for 20 s.
class MessageCounter {
public:
    struct Settings {
        int protocol = 2;
        std::string channel;
        std::uint64_t last = 0;              ///< message
        std::string padding;                 ///< behind the number in each message
        std::chrono::milliseconds pause{0};  ///< after every hundredth message: a slow reader
    };

    /// @param client fresh; it is made to speak the protocol and to subscribe. Throws std::runtime_error.
    MessageCounter(RespClient client, Settings settings);
    ~MessageCounter();
    MessageCounter(const MessageCounter&) = delete;
    MessageCounter& operator=(const MessageCounter&) = delete;

    /// Messages that came as they should, those of the pattern included.
    std::uint64_t received() const { return received_; }
    bool is_over() const { return is_over_; }
    /// Waits for the end. @return what was wrong, "" for nothing
    std::string finish();

private:
    void run();

    RespClient client_;
    Settings settings_;
    std::atomic<std::uint64_t> received_{0};
    std::atomic<bool> is_over_{false};
    std::string wrong_;
    std::thread thread_;
};

}  // namespace cvp::test
