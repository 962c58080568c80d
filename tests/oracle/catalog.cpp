#include "tests/oracle/catalog.hpp"

#include <algorithm>
#include <utility>

namespace cvp::oracle {
namespace {

using test::RespReply;

/// The value of a key in a map that RESP2 writes as an array.
const RespReply* at(const RespReply& map, std::string_view key) {
    for (std::size_t i = 0; i + 1 < map.elements.size(); i += 2)
        if (map.elements[i].text == key) return &map.elements[i + 1];
    return nullptr;
}

std::string text_at(const RespReply& map, std::string_view key) {
    const auto* value = at(map, key);
    return value ? value->text : "";
}

ArgumentSpec::Type type_of(const std::string& name) {
    using Type = ArgumentSpec::Type;
    static const std::map<std::string, Type> kTypes = {
        {"key", Type::key},          {"string", Type::string},   {"integer", Type::integer},
        {"double", Type::number},    {"pattern", Type::pattern}, {"unix-time", Type::unix_time},
        {"pure-token", Type::token}, {"oneof", Type::one_of},    {"block", Type::block},
    };
    const auto found = kTypes.find(name);
    return found == kTypes.end() ? Type::string : found->second;
}

std::vector<ArgumentSpec> read_arguments(const RespReply* list) {
    std::vector<ArgumentSpec> arguments;
    if (!list) return arguments;
    for (const auto& element : list->elements) {
        ArgumentSpec argument;
        argument.name = text_at(element, "name");
        argument.type = type_of(text_at(element, "type"));
        argument.token = text_at(element, "token");
        if (const auto* flags = at(element, "flags")) {
            for (const auto& flag : flags->elements) {
                argument.is_optional |= flag.text == "optional";
                argument.is_multiple |= flag.text == "multiple";
                argument.repeats_token |= flag.text == "multiple_token";
            }
        }
        argument.arguments = read_arguments(at(element, "arguments"));
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

CommandSpec read_command(const std::string& name, const RespReply& docs) {
    CommandSpec command;
    command.name = name;
    command.group = text_at(docs, "group");
    std::string upper = name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const auto bar = upper.find('|');
    command.words.push_back(upper.substr(0, bar));
    if (bar != std::string::npos) command.words.push_back(upper.substr(bar + 1));
    command.arguments = read_arguments(at(docs, "arguments"));
    return command;
}

Result<std::vector<CommandSpec>> load_commands(test::ValkeyServer& server) {
    const auto docs = server.admin({"COMMAND", "DOCS"});
    if (!docs) return fail(docs.error());
    std::vector<CommandSpec> commands;
    for (std::size_t i = 0; i + 1 < docs->elements.size(); i += 2) {
        const auto& about = docs->elements[i + 1];
        const auto* children = at(about, "subcommands");
        if (!children) {
            commands.push_back(read_command(docs->elements[i].text, about));
            continue;
        }
        for (std::size_t j = 0; j + 1 < children->elements.size(); j += 2)
            commands.push_back(read_command(children->elements[j].text, children->elements[j + 1]));
    }
    std::sort(commands.begin(), commands.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return commands;
}

}  // namespace

const CommandSpec* Catalog::find(const std::string& name) const {
    const auto found =
        std::lower_bound(commands.begin(), commands.end(), name,
                         [](const CommandSpec& command, const auto& text) { return command.name < text; });
    return found != commands.end() && found->name == name ? &*found : nullptr;
}

Result<Catalog> load_catalog(test::ValkeyServer& server) {
    Catalog catalog;
    auto commands = load_commands(server);
    if (!commands) return fail(commands.error());
    catalog.commands = std::move(*commands);

    const auto info = server.admin_text({"INFO", "server"});
    if (!info) return fail(info.error());
    for (const std::string_view key : {"redis_version:", "valkey_version:"})
        if (const auto found = info->find(key); found != std::string::npos)
            catalog.version = info->substr(found + key.size(), info->find('\r', found) - found - key.size());

    const std::vector<std::vector<std::string>> samples = {
        {"SET", "d0", "a text"},
        {"RPUSH", "d1", "a", "b", "3"},
        {"SADD", "d2", "1", "2", "3"},
        {"ZADD", "d3", "1", "a", "2.5", "b"},
        {"HSET", "d4", "f", "v", "g", "w"},
        {"XADD", "d5", "1-1", "f", "v"},
    };
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (auto made = server.admin_text(samples[i]); !made) return fail(made.error());
        auto dump = server.admin_text({"DUMP", "d" + std::to_string(i)});
        if (!dump) return fail(dump.error());
        catalog.dumps.push_back(std::move(*dump));
    }
    for (const auto& script : scripts()) {
        auto sha = server.admin_text({"SCRIPT", "LOAD", script});
        if (!sha) return fail(sha.error());
        catalog.script_sha.push_back(std::move(*sha));
    }
    for (std::size_t i = 0; i < 2; ++i)
        if (auto made = server.admin_text({"FUNCTION", "LOAD", "REPLACE", function_library(i)}); !made)
            return fail(made.error());
    auto dump = server.admin_text({"FUNCTION", "DUMP"});
    if (!dump) return fail(dump.error());
    catalog.function_dump = std::move(*dump);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"FLUSHALL", "SYNC"}, {"FUNCTION", "FLUSH"}, {"SCRIPT", "FLUSH"}})
        if (auto done = server.admin_text(words); !done) return fail(done.error());
    return catalog;
}

const std::vector<std::string>& scripts() {
    static const std::vector<std::string> kScripts = {
        "return {KEYS[1],ARGV[1]}",
        "return redis.call('EXISTS',KEYS[1])",
        "return redis.error_reply('MY oops')",
        "redis.setresp(3); return redis.pcall('HGETALL',KEYS[1])",
        "redis.setresp(3); return {double=3.5}",
        "return {1,2,{3,'x',false,{4,{5}}}}",
        "redis.setresp(3); return {map={a=1}}",
        "return string.rep(ARGV[1] or 'x',10)",
        "redis.setresp(3); return true",
        "redis.call('SET',KEYS[1],ARGV[1] or 'none'); return redis.status_reply('DONE')",
        "return redis.pcall('INCR',KEYS[1])",
        "return redis.call('RPUSH',KEYS[1],1,2,3)",
        "redis.call('DEL',KEYS[1]); return redis.call('GET',KEYS[1])",
    };
    return kScripts;
}

std::string function_library(std::size_t number) {
    const auto n = std::to_string(number);
    return "#!lua name=lib" + n + "\nredis.register_function{function_name='f" + n +
           "', callback=function(keys,args) return {keys[1],#args} end, flags={'no-writes'}}\n"
           "redis.register_function('w" +
           n + "', function(keys,args) return redis.call('SET',keys[1],'by" + n + "') end)\n";
}

}  // namespace cvp::oracle
