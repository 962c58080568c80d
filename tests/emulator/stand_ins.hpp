#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace cvp::emulator {

/// Commands that go to a server in the place of others, and their answers found again in what it sends.
///
/// A login that shall fail never reaches the server, or the server would let the client in. In its place goes an
/// unknown command with 128 random bits in its name. A server refuses it with one answer that repeats the name: before
/// any login, in RESP2 and RESP3, subscribed or blocked, and with no answer where REPLY OFF would hide a login's too.
/// So no reply has to be counted to find the place where the login's answer belongs. Not in MULTI: it would spoil it.
class StandIns {
public:
    /// @param tag letters and digits that nobody can guess, at most 100
    explicit StandIns(const std::string& tag);

    /// The command to send; `answer` will replace what the server says to it.
    /// @param is_last the connection is to end with that answer
    std::string add(std::string_view answer, bool is_last = false);

    /// Appends what a server sent to `out`, with the answers replaced. What may be the beginning of one is kept back.
    /// @return false once a last answer is out: nothing more is to be passed
    bool pass(std::string_view bytes, std::string& out);

private:
    struct Pending {
        std::uint64_t number;
        std::string answer;
        bool is_last;
    };
    /// Appends the answer to stand-in `number` to `out`. @return false after a last one
    bool answer(std::uint64_t number, std::string& out);

    std::string tag_;
    std::string needle_;  ///< what the server's answers to stand-ins begin with
    std::uint64_t count_ = 0;
    std::deque<Pending> pending_;
    std::string kept_;
};

}  // namespace cvp::emulator
