#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {

/// A client's program, and where the application finds its server.
struct ClientRun {
    std::vector<std::string> argv = {};
    std::vector<std::string> env = {};
    std::uint16_t port = 0;     ///< on 127.0.0.1
    std::string password = {};  ///< empty: the application sends none
    int protocol = 0;           ///< 2 or 3; 0: the library's own choice
};

/// What a client's program printed, without its requests.
struct Transcript {
    std::vector<std::string> lines;

    /// Lines that tell an operation and its result.
    std::size_t operations() const;
};

/// Runs a client's program to its end and does what it asks for, between two lines of its transcript, to `server`:
///
///   @restart          kill -9, then the same server again, with its data; done when it is reached at `port`
///   @down 1000        kill -9, and the same server again 1000 ms later
///   @drop normal      CLIENT KILL TYPE normal (or pubsub): all connections of that kind
///   @blocked 3        waits until 3 clients block (`3+`: at least 3)
///
/// Each is answered with `done` on its standard input.
/// @errors as Process::start; `unavailable` with all that it printed if it fails, or does not end within a minute
Result<Transcript> run_client(const ClientRun& run, ValkeyServer& server);

/// The lines that differ, with two around them, `-` where only `expected` has it and `+` where only `actual` has it;
/// empty if there are none.
std::string diff(const Transcript& expected, const Transcript& actual);

}  // namespace cvp::test
