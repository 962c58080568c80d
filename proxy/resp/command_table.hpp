#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cvp::proxy {

/// What a command does to its connection, as far as the proxy must know. Everything else is `plain`: one reply.
enum class Effect : std::uint8_t {
    plain,
    blocks,            ///< may wait for other clients: BLPOP and its kin
    blocks_if_option,  ///< XREAD, XREADGROUP: only with BLOCK, which comes before STREAMS
    waits,             ///< WAIT, WAITAOF: for what this connection has written
    script,            ///< EVAL, EVAL_RO, SCRIPT: may make the server know a script, or forget all
    auth,
    hello,
    reset,
    quit,
    select,
    multi,
    exec,  ///< ends MULTI and WATCH
    discard,
    watch,
    unwatch,
    subscribe,  ///< SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE: a reply for each name
    unsubscribe,
    monitor,
    client,    ///< CLIENT …: the subcommand decides
    readonly,  ///< READONLY, READWRITE
    readwrite,
    asking,
    replication,  ///< SYNC, PSYNC, REPLCONF: not request and reply from here on
};

/// How many of a command's arguments must be seen before it is decided what happens to it.
inline constexpr std::size_t kAllArguments = SIZE_MAX;

/// One command of the built-in table.
struct CommandInfo {
    std::string_view name;  ///< lower case; also the metric label; "other" for what is not in the table
    Effect effect = Effect::plain;
    std::size_t captured = 0;  ///< arguments after the name that the framer hands over: 0, a few, or kAllArguments
    std::uint16_t index = 0;   ///< its place in the table: 0 for "other", less than kCommands
};

/// Size of the table, "other" included.
extern const std::size_t kCommands;

/// Length of the longest name in the table: what is longer is "other".
inline constexpr std::size_t kLongestCommand = 17;

/// Looks a name up, whatever its case. Never fails: an unknown one is "other", with effect plain.
const CommandInfo& find_command(std::string_view name);

/// The entry at `index`, for metrics. @param index less than kCommands
const CommandInfo& command_at(std::size_t index);

/// Whether `a` is `lower` but for the case of ASCII letters; `lower` is written in lower case.
bool equals_ignoring_case(std::string_view a, std::string_view lower);

}  // namespace cvp::proxy
