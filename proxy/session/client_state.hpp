#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/resp/command_table.hpp"

namespace cvp::proxy {

/// The names that a client is subscribed to, by kind.
struct Subscriptions {
    std::set<std::string, std::less<>> channels;
    std::set<std::string, std::less<>> patterns;
    std::set<std::string, std::less<>> shards;

    bool empty() const { return channels.empty() && patterns.empty() && shards.empty(); }
    bool operator==(const Subscriptions&) const = default;
};

/// What a server remembers of one client connection, as far as a new connection can be brought to the same state by
/// repeating it. Follows from the commands that the server accepted.
/// @source data-plane-verified 1.1, 2.11
struct ClientState {
    int protocol = 2;
    std::string db = "0";     ///< as the client wrote it
    std::string name;         ///< CLIENT SETNAME; empty: none
    std::string lib_name;     ///< CLIENT SETINFO; empty: none
    std::string lib_version;  ///< as lib_name
    bool no_evict = false;
    bool no_touch = false;
    bool readonly = false;
    std::vector<std::string> tracking;  ///< arguments of CLIENT TRACKING after ON; see is_tracking
    bool is_tracking = false;
    Subscriptions subscriptions;
    /// SHA-1 of the scripts that it has had the server learn (EVAL, SCRIPT LOAD). Some clients count on them for as
    /// long as their connection lives: ioredis sends EVALSHA in MULTI then. They are not replicated.
    std::set<std::string, std::less<>> scripts;

    bool operator==(const ClientState&) const = default;
};

/// What one accepted command changes.
struct StateChange {
    std::optional<int> protocol;
    std::optional<std::string> db;
    std::optional<std::string> name;
    std::optional<std::string> lib_name;
    std::optional<std::string> lib_version;
    std::optional<bool> no_evict;
    std::optional<bool> no_touch;
    std::optional<bool> readonly;
    std::optional<std::vector<std::string>> tracking;  ///< ON with these arguments
    bool tracking_off = false;
    bool reset = false;  ///< RESET: everything but the library's name and version, and the scripts

    bool operator==(const StateChange&) const = default;
};

/// What `command` would change if the server accepts it; nothing for commands that change no such state. RESET and
/// SELECT, HELLO, READONLY, READWRITE and the subcommands of CLIENT.
/// @param arguments as RequestFramer::arguments()
std::optional<StateChange> change_of(const CommandInfo& command, const std::vector<std::string_view>& arguments);

/// Whether a command of that effect may read or write keys.
bool is_about_data(Effect effect);

/// What EVAL, EVAL_RO or SCRIPT add to the scripts that a client counts on. To be noted when it is sent, as the client
/// counts on it from then on: also one that fails has taught its script, as a rule.
/// @return false if there are too many to be remembered; none is then
bool note_script(const CommandInfo& command, const std::vector<std::string_view>& arguments,
                 std::set<std::string, std::less<>>& scripts);

/// What RESET changes.
StateChange change_by_reset();

void apply(const StateChange& change, ClientState& state);

/// The commands that bring a new connection, logged in, to `state`, subscriptions included.
struct ReplayScript {
    std::string commands;
    std::size_t replies = 0;  ///< frames that must come back, none of them an error
    std::size_t scripts = 0;  ///< so many of them, the last ones, say whether the server knows a script
};
ReplayScript write_replay(const ClientState& state);

/// Appends one command in multibulk form.
void append_command(std::string& out, const std::vector<std::string_view>& words);

}  // namespace cvp::proxy
