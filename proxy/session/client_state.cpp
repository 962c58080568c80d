#include "proxy/session/client_state.hpp"

#include <algorithm>

#include "common/crypto/digest.hpp"

namespace cvp::proxy {

namespace {

using Arguments = std::vector<std::string_view>;

bool is(std::string_view word, std::string_view lower) {
    return equals_ignoring_case(word, lower);
}

std::optional<StateChange> change_of_hello(const Arguments& arguments) {
    if (arguments.empty()) return std::nullopt;  // it asks, and changes nothing
    StateChange change;
    change.protocol = arguments[0] == "3" ? 3 : 2;  // any other number is refused
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (is(arguments[i], "auth")) {
            i += 2;
        } else if (is(arguments[i], "setname") && i + 1 < arguments.size()) {
            change.name = std::string(arguments[++i]);
        }
    }
    return change;
}

std::optional<bool> switch_of(std::string_view word) {
    if (is(word, "on")) return true;
    if (is(word, "off")) return false;
    return std::nullopt;
}

std::optional<StateChange> change_of_client(const Arguments& arguments) {
    if (arguments.size() < 2) return std::nullopt;
    const auto what = arguments[0];
    StateChange change;
    if (is(what, "setname")) {
        change.name = std::string(arguments[1]);
    } else if (is(what, "setinfo") && arguments.size() > 2 && is(arguments[1], "lib-name")) {
        change.lib_name = std::string(arguments[2]);
    } else if (is(what, "setinfo") && arguments.size() > 2 && is(arguments[1], "lib-ver")) {
        change.lib_version = std::string(arguments[2]);
    } else if (is(what, "no-evict")) {
        change.no_evict = switch_of(arguments[1]);
    } else if (is(what, "no-touch")) {
        change.no_touch = switch_of(arguments[1]);
    } else if (is(what, "tracking")) {
        const auto on = switch_of(arguments[1]);
        if (on == true) change.tracking.emplace(arguments.begin() + 2, arguments.end());
        change.tracking_off = on == false;
    }
    if (change == StateChange{}) return std::nullopt;
    return change;
}

template <class Names>
void append_names(ReplayScript& script, std::string_view command, const Names& names) {
    constexpr std::size_t kAtOnce = 1000;
    std::vector<std::string_view> words;
    const auto flush = [&] {
        if (words.size() > 1) append_command(script.commands, words);
        words.assign(1, command);
    };
    flush();
    for (const auto& name : names) {
        words.push_back(name);
        ++script.replies;  // one for each name
        if (words.size() > kAtOnce) flush();
    }
    flush();
}

}  // namespace

std::optional<StateChange> change_of(const CommandInfo& command, const Arguments& arguments) {
    StateChange change;
    switch (command.effect) {
        case Effect::hello:
            return change_of_hello(arguments);
        case Effect::client:
            return change_of_client(arguments);
        case Effect::select:
            if (arguments.size() != 1) return std::nullopt;
            change.db = std::string(arguments[0]);
            return change;
        case Effect::readonly:
            change.readonly = true;
            return change;
        case Effect::readwrite:
            change.readonly = false;
            return change;
        case Effect::reset:
            return change_by_reset();
        default:
            return std::nullopt;
    }
}

bool is_about_data(Effect effect) {
    switch (effect) {
        case Effect::plain:
        case Effect::script:
        case Effect::exec:
        case Effect::blocks:
        case Effect::blocks_if_option:
            return true;
        default:
            return false;
    }
}

bool note_script(const CommandInfo& command, const Arguments& arguments, std::set<std::string, std::less<>>& scripts) {
    constexpr std::size_t kMost = 64;
    if (command.name != "script") {
        if (!arguments.empty()) scripts.insert(crypto::sha1_hex(arguments[0]));
    } else if (arguments.size() == 2 && is(arguments[0], "load")) {
        scripts.insert(crypto::sha1_hex(arguments[1]));
    } else if (!arguments.empty() && is(arguments[0], "flush")) {
        scripts.clear();
    }
    if (scripts.size() <= kMost) return true;
    scripts.clear();
    return false;
}

StateChange change_by_reset() {
    StateChange change;
    change.reset = true;
    return change;
}

void apply(const StateChange& change, ClientState& state) {
    if (change.reset) {
        ClientState fresh;
        fresh.lib_name = std::move(state.lib_name);
        fresh.lib_version = std::move(state.lib_version);
        fresh.scripts = std::move(state.scripts);
        state = std::move(fresh);
    }
    if (change.protocol) state.protocol = *change.protocol;
    if (change.db) state.db = *change.db;
    if (change.name) state.name = *change.name;
    if (change.lib_name) state.lib_name = *change.lib_name;
    if (change.lib_version) state.lib_version = *change.lib_version;
    if (change.no_evict) state.no_evict = *change.no_evict;
    if (change.no_touch) state.no_touch = *change.no_touch;
    if (change.readonly) state.readonly = *change.readonly;
    if (change.tracking) {
        state.tracking = *change.tracking;
        state.is_tracking = true;
    }
    if (change.tracking_off) {
        state.tracking.clear();
        state.is_tracking = false;
    }
}

void append_command(std::string& out, const Arguments& words) {
    out.append("*").append(std::to_string(words.size())).append("\r\n");
    for (const auto word : words)
        out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

ReplayScript write_replay(const ClientState& state) {
    ReplayScript script;
    const auto add = [&](const Arguments& words) {
        append_command(script.commands, words);
        ++script.replies;
    };
    if (state.protocol == 3) add({"HELLO", "3"});
    if (state.db != "0") add({"SELECT", state.db});
    if (!state.name.empty()) add({"CLIENT", "SETNAME", state.name});
    if (!state.lib_name.empty()) add({"CLIENT", "SETINFO", "LIB-NAME", state.lib_name});
    if (!state.lib_version.empty()) add({"CLIENT", "SETINFO", "LIB-VER", state.lib_version});
    if (state.no_evict) add({"CLIENT", "NO-EVICT", "ON"});
    if (state.no_touch) add({"CLIENT", "NO-TOUCH", "ON"});
    if (state.readonly) add({"READONLY"});
    if (state.is_tracking) {
        Arguments words{"CLIENT", "TRACKING", "ON"};
        words.insert(words.end(), state.tracking.begin(), state.tracking.end());
        add(words);
    }
    append_names(script, "SUBSCRIBE", state.subscriptions.channels);
    append_names(script, "PSUBSCRIBE", state.subscriptions.patterns);
    append_names(script, "SSUBSCRIBE", state.subscriptions.shards);
    for (const auto& digest : state.scripts)
        add({"SCRIPT", "EXISTS", digest});
    script.scripts = state.scripts.size();
    return script;
}

}  // namespace cvp::proxy
