#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "tests/oracle/program.hpp"
#include "tests/oracle/server_under_test.hpp"

namespace cvp::oracle {

/// What the connections of a program saw: every byte up to the end of the stream.
struct PassResult {
    std::vector<std::string> streams;
    std::string trouble;  ///< what did not happen in time; empty: all went its way
};

/// Opens a client's connection: a descriptor that the caller closes.
using Connect = std::function<Result<int>()>;

Connect connect_to_socket(const std::filesystem::path& socket);
Connect connect_to_port(std::uint16_t port);

struct PassOptions {
    std::chrono::milliseconds limit = std::chrono::seconds(20);  ///< for a step, and for the end
};

/// Runs a program once: step by step, each one after what it waits for has come.
PassResult run_pass(const Program& program, const Connect& connect, ServerUnderTest& server,
                    const PassOptions& options);

/// The bytes of a command. @param ids of the connections; where a mark is written and none is known it stays
void append_bytes(const Command& command, const std::vector<std::string>& ids, std::string& out);

}  // namespace cvp::oracle
