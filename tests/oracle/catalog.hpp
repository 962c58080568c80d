#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::oracle {

/// One argument of a command, as COMMAND DOCS describes it.
struct ArgumentSpec {
    enum class Type : std::uint8_t { key, string, integer, number, pattern, unix_time, token, one_of, block };
    std::string name;
    Type type = Type::string;
    std::string token;
    bool is_optional = false;
    bool is_multiple = false;
    bool repeats_token = false;
    std::vector<ArgumentSpec> arguments;  ///< of one_of and block
};

/// One command or subcommand of the server under test.
struct CommandSpec {
    std::string name;                ///< "get", "client|id"
    std::vector<std::string> words;  ///< "GET"; "CLIENT", "ID"
    std::string group;               ///< "string", "sorted-set", …
    std::vector<ArgumentSpec> arguments;
};

/// What only a running server can say: its commands, payloads that RESTORE takes, digests of scripts.
struct Catalog {
    std::string version;
    std::vector<CommandSpec> commands;  ///< by name; the containers themselves are left out
    std::vector<std::string> dumps;     ///< of values of every type
    std::string function_dump;
    std::vector<std::string> script_sha;  ///< of scripts(), in that order

    const CommandSpec* find(const std::string& name) const;
};

/// Asks the server; leaves it empty.
Result<Catalog> load_catalog(test::ValkeyServer& server);

/// Scripts that EVAL runs with one key and one argument; the first kReadOnlyScripts write nothing.
const std::vector<std::string>& scripts();
inline constexpr std::size_t kReadOnlyScripts = 9;
/// A library of functions f0 (reads) and w0 (writes), by the number of the library.
std::string function_library(std::size_t number);

}  // namespace cvp::oracle
