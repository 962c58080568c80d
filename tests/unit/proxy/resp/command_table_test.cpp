#include "proxy/resp/command_table.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using ::testing::UnorderedElementsAre;

std::string in_upper_case(std::string_view name) {
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    return upper;
}

std::vector<std::string> names_with(Effect effect) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kCommands; ++i) {
        if (command_at(i).effect == effect) names.emplace_back(command_at(i).name);
    }
    return names;
}

TEST(CommandTable, finds_every_entry_by_its_name_in_any_case) {
    EXPECT_GT(kCommands, 150u);
    for (std::size_t i = 0; i < kCommands; ++i) {
        const auto& entry = command_at(i);
        EXPECT_EQ(entry.index, i);
        EXPECT_EQ(&find_command(entry.name), &entry) << entry.name;
        auto name = in_upper_case(entry.name);
        EXPECT_EQ(&find_command(name), &entry) << name;
        name.front() = entry.name.front();
        EXPECT_EQ(&find_command(name), &entry) << name;
    }
}

TEST(CommandTable, has_no_name_twice_and_writes_them_in_lower_case) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kCommands; ++i) {
        const auto name = command_at(i).name;
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_TRUE(std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }))
            << name;
        EXPECT_LE(name.size(), kLongestCommand);
    }
}

TEST(CommandTable, takes_what_it_does_not_know_for_a_plain_command_called_other) {
    EXPECT_EQ(command_at(0).name, "other");
    EXPECT_EQ(command_at(0).effect, Effect::plain);
    EXPECT_EQ(command_at(0).captured, 0u);
    for (const std::string name : {"", "g", "ge", "gett", "JSON.GET", "getx", "\xff\xfe", "set ", " set", "other"}) {
        EXPECT_EQ(&find_command(name), &command_at(0)) << name;
    }
    EXPECT_EQ(&find_command(std::string(kLongestCommand + 1, 'a')), &command_at(0));
    EXPECT_EQ(&find_command(std::string(100'000, 'a')), &command_at(0));
    EXPECT_EQ(&find_command(std::string_view("get\0", 4)), &command_at(0));
}

TEST(CommandTable, takes_case_for_a_thing_of_letters_alone) {
    EXPECT_EQ(find_command("BITFIELD_RO").name, "bitfield_ro");
    EXPECT_EQ(find_command("BITFIELD\x7fRO").name, "other");  // a bit apart from the underscore, as letters from theirs
    EXPECT_TRUE(equals_ignoring_case("Get", "get"));
    EXPECT_TRUE(equals_ignoring_case("[x{", "[x{"));
    EXPECT_FALSE(equals_ignoring_case("[", "{"));
    EXPECT_FALSE(equals_ignoring_case("@", "`"));
    EXPECT_FALSE(equals_ignoring_case("ge", "get"));
    EXPECT_FALSE(equals_ignoring_case("gets", "get"));
}

TEST(CommandTable, knows_who_blocks_and_who_changes_its_connection) {
    EXPECT_THAT(names_with(Effect::blocks), UnorderedElementsAre("blmove", "blmpop", "blpop", "brpop", "brpoplpush",
                                                                 "bzmpop", "bzpopmax", "bzpopmin"));
    EXPECT_THAT(names_with(Effect::waits), UnorderedElementsAre("wait", "waitaof"));
    EXPECT_THAT(names_with(Effect::script), UnorderedElementsAre("eval", "eval_ro", "script"));
    EXPECT_THAT(names_with(Effect::blocks_if_option), UnorderedElementsAre("xread", "xreadgroup"));
    EXPECT_THAT(names_with(Effect::subscribe), UnorderedElementsAre("psubscribe", "ssubscribe", "subscribe"));
    EXPECT_THAT(names_with(Effect::unsubscribe), UnorderedElementsAre("punsubscribe", "sunsubscribe", "unsubscribe"));
    EXPECT_THAT(names_with(Effect::replication), UnorderedElementsAre("psync", "replconf", "sync"));
    const std::pair<Effect, std::string> single[] = {
        {Effect::auth, "auth"},         {Effect::hello, "hello"},         {Effect::reset, "reset"},
        {Effect::quit, "quit"},         {Effect::select, "select"},       {Effect::multi, "multi"},
        {Effect::exec, "exec"},         {Effect::discard, "discard"},     {Effect::watch, "watch"},
        {Effect::unwatch, "unwatch"},   {Effect::monitor, "monitor"},     {Effect::client, "client"},
        {Effect::readonly, "readonly"}, {Effect::readwrite, "readwrite"}, {Effect::asking, "asking"},
    };
    for (const auto& [effect, name] : single)
        EXPECT_THAT(names_with(effect), UnorderedElementsAre(name));
}

TEST(CommandTable, captures_what_changes_its_connection_as_a_whole_and_no_data) {
    for (std::size_t i = 0; i < kCommands; ++i) {
        const auto& entry = command_at(i);
        switch (entry.effect) {
            case Effect::plain:
            case Effect::blocks:
            case Effect::waits:
            case Effect::watch:
                EXPECT_EQ(entry.captured, 0u) << entry.name;
                break;
            case Effect::script:
                EXPECT_EQ(entry.captured, entry.name == "script" ? 2u : 1u);
                break;
            case Effect::blocks_if_option:
                EXPECT_EQ(entry.captured, entry.name == "xread" ? 6u : 8u);
                break;
            default:
                EXPECT_EQ(entry.captured, kAllArguments) << entry.name;
        }
    }
}

}  // namespace
}  // namespace cvp::proxy
