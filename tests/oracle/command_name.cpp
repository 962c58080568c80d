#include "tests/oracle/command_name.hpp"

#include <algorithm>
#include <unordered_set>

namespace cvp::oracle {
namespace {

const std::unordered_set<std::string_view> kContainers = {
    "acl",    "client", "cluster", "command", "commandlog", "config",  "debug",  "function", "latency",
    "memory", "module", "object",  "pubsub",  "script",     "slowlog", "xgroup", "xinfo",
};

const std::unordered_set<std::string_view> kStateful = {
    "multi",     "watch",      "select",     "hello",   "reset",        "quit",
    "subscribe", "psubscribe", "ssubscribe", "monitor", "client|reply", "client|tracking",
};

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string full_name(const Command& command) {
    if (command.form == Form::noise || command.form == Form::garbage || command.words.empty()) return {};
    auto name = lower(command.words[0]);
    if (command.words.size() > 1 && kContainers.contains(name)) name.append("|").append(lower(command.words[1]));
    return name;
}

bool changes_state(std::string_view full_name) {
    return kStateful.contains(full_name);
}

}  // namespace cvp::oracle
