#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace cvp::test {

/// A client that counts a key of its own up, with some commands under way at a time, and keeps a journal: what it asked
/// for, what was answered, and how its connection ended. It connects again when it must, and then asks what became of
/// the commands that were under way.
///
/// Owner: a test. A thread of its own, which ends with stop() or the object.
class JournalClient {
public:
    struct Settings {
        std::uint16_t port = 0;
        std::string key;
        int depth = 1;                       ///< commands under way at a time
        std::chrono::milliseconds pause{0};  ///< between two batches
    };
    struct Journal {
        std::uint64_t acknowledged = 0;        ///< increments that were answered with the right number
        std::uint64_t failed = 0;              ///< increments without an answer, or with an error
        std::vector<std::string> ends;         ///< why a connection was given up, each
        std::vector<std::string> wrong;        ///< what must never be: replies out of order, lost or doubled writes
        std::chrono::milliseconds slowest{0};  ///< batch
    };

    explicit JournalClient(Settings settings);
    ~JournalClient();
    JournalClient(const JournalClient&) = delete;
    JournalClient& operator=(const JournalClient&) = delete;

    /// Of the journal, while it is being written.
    std::uint64_t acknowledged() const { return acknowledged_; }

    /// Ends after the batch that is under way.
    Journal stop();

private:
    void run();

    Settings settings_;
    Journal journal_;
    std::atomic<std::uint64_t> acknowledged_{0};
    std::atomic<bool> stops_{false};
    std::thread thread_;
};

}  // namespace cvp::test
