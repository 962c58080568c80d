#include "tests/oracle/segments.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace cvp::oracle {
namespace {

std::string made(ProgramBuilder& b, const char* name) {
    return (b.values().*Values::maker(name))();
}

void add_transaction(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    b.begin(a);
    const auto times = b.rng().between(1, 6);
    for (std::size_t i = 0; i < times; ++i) {
        if (b.rng().chance(0.2)) b.emit({"WATCH", made(b, "k"), made(b, "k")});
        if (b.rng().chance(0.1)) b.emit({"UNWATCH"});
        b.emit({"MULTI"});
        b.draw(choice, b.rng().between(0, 12));
        if (b.rng().chance(0.05)) b.emit({"NOSUCHCOMMAND", "x"});
        if (b.rng().chance(0.05)) b.emit({"GET"});
        if (b.rng().chance(0.03)) b.emit({"MULTI"});
        if (b.rng().chance(0.03)) b.emit({"WATCH", "s0"});
        const auto die = b.rng().below(20);
        if (die == 0 && !b.model(a).is_uncountable())
            b.emit({"RESET"});
        else
            b.emit({die < 3 ? "DISCARD" : "EXEC"});
        b.draw(choice, b.rng().below(4));
    }
    if (b.rng().chance(0.05)) b.emit({b.rng().chance(0.5) ? "EXEC" : "DISCARD"});  // without MULTI
    b.wait();
}

/// Commands that change the connection, inside a transaction that goes well.
void add_change_in_multi(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    b.begin(a);
    b.emit({"UNWATCH"});
    b.emit({"MULTI"});
    b.emit({"GET", "absent"});
    switch (b.rng().below(4)) {
        case 0:
            b.emit({"HELLO", b.rng().chance(0.5) ? "3" : "2"});
            break;
        case 1:
            b.emit({"SELECT", "1"});
            break;
        case 2:
            b.emit({"SUBSCRIBE", "c0"});
            break;
        default:
            b.emit({"SUBSCRIBE", "c0", "c1"});
    }
    b.emit({"HGETALL", "h0"});
    b.emit({"EXEC"});
    b.emit({"PING"});
    b.wait();
    b.begin(a);
    b.emit({"UNSUBSCRIBE"});
    b.emit({"SELECT", "0"});
    b.draw(choice, b.rng().below(5));
    b.wait();
}

void add_watch(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    const auto other = b.free_connection({a});
    if (other == b.connections()) return;
    // Nothing tells that MULTI was executed, so nothing else may reach that connection meanwhile.
    const bool spans = b.model(a).subscriptions() == 0 && b.rng().chance(0.5);
    b.begin(a);
    if (spans) b.emit({"CLIENT", "TRACKING", "OFF"});
    b.emit({"SELECT", "0"});
    b.emit({"WATCH", "s0", "s1"});
    b.emit({"GET", "s0"});
    b.wait();
    if (spans) {  // MULTI is open while the other one writes
        b.begin(a);
        b.emit({"MULTI"});
        b.emit({"SET", "s2", b.values().text()});
    }
    b.begin(other);
    b.emit({"SELECT", "0"});
    if (b.rng().chance(0.6)) b.emit({"SET", "s1", b.values().text()});
    b.draw(choice, b.rng().below(3));
    b.wait();
    b.begin(a);
    if (!spans) b.emit({"MULTI"});
    b.emit({"SET", "s0", b.values().text()});
    b.emit({"INCR", "n0"});
    b.emit({"EXEC"});
    b.wait();
}

void add_reply_mode(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    b.begin(a);
    const auto times = b.rng().between(1, 4);
    for (std::size_t i = 0; i < times; ++i) {
        if (b.rng().chance(0.6)) {
            b.emit({"CLIENT", "REPLY", "SKIP"});
            if (b.rng().chance(0.05)) b.emit_as(Form::noise, {"*0\r\n"});
            b.emit({"SET", made(b, "s"), b.values().text()});
        } else {
            b.emit({"CLIENT", "REPLY", "OFF"});
            b.draw(choice, b.rng().below(8));
            b.emit({"client", "reply", "on"});
        }
        b.draw(choice, b.rng().below(4));
    }
    b.emit({"CLIENT", "REPLY", b.rng().chance(0.9) ? "ON" : "MAYBE"});
    b.wait();
}

void add_select(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    static constexpr std::array<const char*, 6> kDatabases = {"0", "1", "2", "15", "99", "x"};
    b.begin(a);
    b.emit({"SELECT", b.rng().pick(kDatabases)});
    b.emit({"SET", made(b, "s"), b.values().text()});
    b.draw(choice, b.rng().between(1, 15));
    b.emit({"DBSIZE"});
    if (b.rng().chance(0.7)) b.emit({"SELECT", "0"});
    b.wait();
}

void add_protocol(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    b.begin(a);
    const auto die = b.rng().below(20);
    if (die == 0)
        b.emit({"HELLO", "4"});
    else if (die == 1)
        b.emit({"HELLO"});
    else if (die == 2)
        b.emit({"HELLO", "3", "SETNAME", "by-hello"});
    else if (die == 3)
        b.emit({"HELLO", "x"});
    else
        b.emit({b.rng().chance(0.8) ? "HELLO" : "hello", die < 15 ? "3" : "2"});
    b.draw(choice, b.rng().between(1, 30));
    if (b.rng().chance(0.2)) b.emit({"DEBUG", "PROTOCOL", "push"});
    b.emit({"HGETALL", "h0"});
    b.emit({"GET", "absent"});
    b.wait();
}

void add_reset(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.rng().below(b.connections());
    // docs/differences.md: such a RESET ends the connection.
    if (b.model(a).is_closed() || b.model(a).is_monitor() || b.model(a).is_uncountable()) return;
    b.begin(a);
    b.emit({"RESET"});
    b.emit({"GET", "s0"});
    b.emit({"CLIENT", "GETNAME"});
    b.draw(choice, b.rng().below(6));
    b.wait();
}

void add_inline(ProgramBuilder& b, const CommandChoice&) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    static const std::array<std::vector<std::string>, 7> kLines = {{
        {"PING"},
        {"SET", "s0", "inline"},
        {"GET", "s0"},
        {"ECHO", "\"two words\\x41\""},
        {"NOSUCH", "command"},
        {"EXISTS", "s0", "s1"},
        {"INCR", "n1"},
    }};
    static const std::array<std::string, 4> kNoise = {"*0\r\n", "*-1\r\n", "\r\n", "\n"};
    b.begin(a);
    const auto times = b.rng().between(1, 6);
    for (std::size_t i = 0; i < times; ++i) {
        b.emit_as(Form::inline_line, b.rng().pick(kLines));
        if (b.rng().chance(0.4)) b.emit_as(Form::noise, {b.rng().pick(kNoise)});
        if (b.rng().chance(0.4)) b.emit({"GET", made(b, "s")});
    }
    b.wait();
}

/// Many arguments, many replies, long bodies.
void add_bulk(ProgramBuilder& b, const CommandChoice&) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    b.begin(a);
    std::vector<std::string> push = {"RPUSH", "bulk"};
    const auto count = b.rng().between(100, 1500);
    for (std::size_t i = 0; i < count; ++i)
        push.push_back(b.values().member());
    b.emit(std::move(push));
    b.emit({"LRANGE", "bulk", "0", "-1"});
    std::string text(b.rng().between(1000, 300'000), ' ');
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>('a' + (i ^ (i >> 5U)) % 26);
    b.emit({"SET", "long", std::move(text)});
    for (int i = 0; i < 10; ++i)
        b.emit({"GET", "long"});
    b.emit({"DEL", "bulk", "long"});
    b.wait();
}

}  // namespace

void add_state_segment(ProgramBuilder& b, const CommandChoice& choice) {
    using Segment = void (*)(ProgramBuilder&, const CommandChoice&);
    static constexpr std::array<std::pair<Segment, std::size_t>, 12> kSegments = {{
        {add_transaction, 4},
        {add_watch, 2},
        {add_reply_mode, 2},
        {add_select, 2},
        {add_protocol, 3},
        {add_reset, 1},
        {add_pubsub, 5},
        {add_tracking, 2},
        {add_blocking, 2},
        {add_inline, 2},
        {add_bulk, 1},
        {add_change_in_multi, 1},
    }};
    auto die = b.rng().below(27);
    for (const auto& [add, weight] : kSegments) {
        if (die < weight) return add(b, choice);
        die -= weight;
    }
}

}  // namespace cvp::oracle
