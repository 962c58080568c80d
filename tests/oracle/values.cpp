#include "tests/oracle/values.hpp"

#include <array>
#include <unordered_map>

namespace cvp::oracle {
namespace {

constexpr std::size_t kKeysOfAKind = 4;
constexpr double kOtherKind = 0.02;

/// Texts on which a careless parser stumbles.
const std::array<std::string_view, 10> kOddTexts = {
    "",        std::string_view("\0\xff\xfe", 3),
    "\r\n",    "+OK\r\n",
    "$-1\r\n", "*1\r\n$4\r\nPING\r\n",
    "-ERR x",  ">2\r\n",
    "_",       "\"'{}",
};

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

}  // namespace

Values::Maker Values::maker(std::string_view name) {
    static const std::unordered_map<std::string_view, Maker> kMakers = {
        {"s", &Values::string_key},
        {"n", &Values::number_key},
        {"b", &Values::bitmap_key},
        {"l", &Values::list_key},
        {"t", &Values::set_key},
        {"z", &Values::sorted_set_key},
        {"h", &Values::hash_key},
        {"p", &Values::log_key},
        {"g", &Values::geo_key},
        {"x", &Values::stream_key},
        {"e", &Values::expiring_hash_key},
        {"r", &Values::spare_key},
        {"w", &Values::word_key},
        {"k", &Values::any_key},
        {"absent", &Values::absent_key},
        {"v", &Values::text},
        {"m", &Values::member},
        {"f", &Values::field},
        {"nf", &Values::number_field},
        {"i", &Values::small},
        {"c", &Values::count},
        {"bit", &Values::zero_or_one},
        {"off", &Values::offset},
        {"d", &Values::floating},
        {"score", &Values::score},
        {"db", &Values::database},
        {"sec", &Values::seconds},
        {"ms", &Values::milliseconds},
        {"at", &Values::unix_seconds},
        {"atms", &Values::unix_milliseconds},
        {"smin", &Values::min_score},
        {"smax", &Values::max_score},
        {"lmin", &Values::min_text},
        {"lmax", &Values::max_text},
        {"lon", &Values::longitude},
        {"lat", &Values::latitude},
        {"rad", &Values::radius},
        {"id", &Values::stream_id},
        {"xid", &Values::next_stream_id},
        {"G", &Values::group},
        {"C", &Values::consumer},
        {"idle", &Values::idle},
        {"u", &Values::user},
        {"ch", &Values::channel},
        {"sh", &Values::shard_channel},
        {"pat", &Values::pattern},
        {"cmd", &Values::command_name},
        {"cat", &Values::category},
        {"type", &Values::type_name},
        {"enc", &Values::encoding},
        {"lua", &Values::script},
        {"luaro", &Values::read_only_script},
        {"sha", &Values::sha},
        {"sharo", &Values::read_only_sha},
        {"lib", &Values::library},
        {"libname", &Values::library_name},
        {"fn", &Values::function},
        {"fnro", &Values::read_only_function},
        {"dump", &Values::dump},
        {"fdump", &Values::function_dump},
        {"nobody", &Values::nobody},
        {"zero", &Values::zero},
        {"blink", &Values::blink},
    };
    const auto found = kMakers.find(name);
    return found == kMakers.end() ? nullptr : found->second;
}

std::string_view Values::key_kind(const CommandSpec& command) {
    static const std::unordered_map<std::string_view, std::string_view> kKinds = {
        {"string", "s"}, {"bitmap", "b"},      {"list", "l"}, {"set", "t"},    {"sorted-set", "z"},
        {"hash", "h"},   {"hyperloglog", "p"}, {"geo", "g"},  {"stream", "x"},
    };
    const auto found = kKinds.find(command.group);
    return found == kKinds.end() ? "k" : found->second;
}

std::string Values::key(char kind) {
    if (rng_.chance(kOtherKind)) return any_key();
    return prefix_ + kind + static_cast<char>('0' + rng_.below(kKeysOfAKind));
}

std::string Values::any_key() {
    // Streams and hashes with expiring fields stay out: times are part of what DUMP says of them.
    constexpr std::string_view kKinds = "snbltzhpgr";
    if (rng_.chance(0.03)) return absent_key();
    return prefix_ + kKinds[rng_.below(kKinds.size())] + static_cast<char>('0' + rng_.below(kKeysOfAKind));
}

std::string Values::word_key() {
    return prefix_ + "w" + number(rng_.below(2));
}

std::string Values::expiring_hash_key() {
    return prefix_ + "e" + number(rng_.below(kKeysOfAKind));
}

std::string Values::text() {
    const auto die = rng_.below(1000);
    if (die < 60) return std::string(rng_.pick(kOddTexts));
    if (die < 200) return number(rng_.below(1000));
    std::size_t size = rng_.between(1, 24);
    if (die >= 960) size = rng_.between(100, 4000);
    if (die >= 996) size = rng_.between(4000, 70000);
    if (big_ && die >= 999) size = rng_.between(100'000, 3'000'000);
    const bool binary = rng_.chance(0.1);
    std::string text;
    text.reserve(size + 8);
    while (text.size() < size) {
        auto bits = rng_.next();
        for (int i = 0; i < 8; ++i, bits >>= 8U)
            text += binary ? static_cast<char>(bits & 0xFFU) : static_cast<char>('a' + (bits & 0xFFU) % 26);
    }
    text.resize(size);
    return text;
}

std::string Values::member() {
    if (rng_.chance(0.1)) return text();
    return "m" + number(rng_.below(20));
}

std::string Values::field() {
    return "f" + number(rng_.below(12));
}

std::string Values::number_field() {
    return "n" + number(rng_.below(3));
}

std::string Values::small() {
    return std::to_string(static_cast<int>(rng_.below(16)) - 5);
}

std::string Values::count() {
    return number(rng_.between(1, 10));
}

std::string Values::zero_or_one() {
    return number(rng_.below(2));
}

std::string Values::offset() {
    return number(rng_.chance(0.02) ? rng_.below(20000) : rng_.below(64));
}

std::string Values::floating() {
    return small() + "." + number(rng_.below(100));
}

std::string Values::score() {
    const auto die = rng_.below(20);
    if (die == 0) return "-inf";
    if (die == 1) return "+inf";
    return die < 8 ? small() : floating();
}

std::string Values::database() {
    return number(rng_.below(3));
}

// Lifetimes of years: nothing expires while a program runs; far apart: GT and LT decide alike in every pass.
std::string Values::seconds() {
    return number(rng_.between(100'000'000, 900'000'000));
}

std::string Values::milliseconds() {
    return number(rng_.between(100'000'000, 900'000'000) * 1000);
}

std::string Values::unix_seconds() {
    return number(rng_.between(3'000'000'000, 9'000'000'000));
}

std::string Values::unix_milliseconds() {
    return number(rng_.between(3'000'000'000, 9'000'000'000) * 1000);
}

std::string Values::min_score() {
    const auto die = rng_.below(4);
    if (die == 0) return "-inf";
    return die == 1 ? "(" + small() : small();
}

std::string Values::max_score() {
    return rng_.chance(0.4) ? "+inf" : (rng_.chance(0.3) ? "(" : "") + floating();
}

std::string Values::min_text() {
    return rng_.chance(0.4) ? "-" : (rng_.chance(0.5) ? "[" : "(") + member();
}

std::string Values::max_text() {
    return rng_.chance(0.4) ? "+" : (rng_.chance(0.5) ? "[" : "(") + member();
}

std::string Values::longitude() {
    return number(rng_.between(8, 16)) + "." + number(rng_.below(1000));
}

std::string Values::latitude() {
    return number(rng_.between(45, 54)) + "." + number(rng_.below(1000));
}

std::string Values::radius() {
    return number(rng_.between(1, 900));
}

std::string Values::stream_id() {
    const auto die = rng_.below(6);
    if (die < 4) return number(rng_.between(1, 6)) + "-1";
    return die == 4 ? "0" : number(rng_.between(1000, stream_clock_)) + "-0";
}

std::string Values::next_stream_id() {
    return number(++stream_clock_) + "-0";
}

std::string Values::group() {
    return "G" + number(rng_.below(4));
}

std::string Values::consumer() {
    return rng_.chance(0.5) ? "alice" : "bob";
}

std::string Values::idle() {
    return rng_.chance(0.7) ? "0" : "900000000";  // nothing has idled that long
}

std::string Values::user() {
    return "u" + number(rng_.below(4));
}

std::string Values::channel() {
    return "c" + number(rng_.below(4));
}

std::string Values::shard_channel() {
    return "sh" + number(rng_.below(3));
}

std::string Values::pattern() {
    static constexpr std::array<std::string_view, 8> kPatterns = {"*",   "c*",    "?0",      "[a-m]*",
                                                                  "m1*", "f[^1]", "nosuch*", "\\*"};
    return std::string(rng_.pick(kPatterns));
}

std::string Values::command_name() {
    return rng_.pick(catalog_.commands).name;
}

std::string Values::category() {
    static constexpr std::array<std::string_view, 5> kNames = {"read", "hyperloglog", "scripting", "pubsub", "nosuch"};
    return std::string(rng_.pick(kNames));
}

std::string Values::type_name() {
    static constexpr std::array<std::string_view, 6> kNames = {"string", "list", "set", "zset", "hash", "stream"};
    return std::string(rng_.pick(kNames));
}

std::string Values::encoding() {
    return (rng_.chance(0.5) ? "u" : "i") + number(rng_.between(1, 32));
}

std::string Values::script() {
    return rng_.pick(scripts());
}

std::string Values::read_only_script() {
    return scripts()[rng_.below(kReadOnlyScripts)];
}

std::string Values::sha() {
    if (rng_.chance(0.05)) return std::string(40, 'f');
    return rng_.pick(catalog_.script_sha);
}

std::string Values::read_only_sha() {
    return catalog_.script_sha[rng_.below(kReadOnlyScripts)];
}

std::string Values::library() {
    return function_library(rng_.below(2));
}

std::string Values::library_name() {
    return "lib" + number(rng_.below(2));
}

std::string Values::function() {
    return (rng_.chance(0.5) ? "f" : "w") + number(rng_.below(2));
}

std::string Values::read_only_function() {
    return "f" + number(rng_.below(2));
}

std::string Values::dump() {
    return rng_.pick(catalog_.dumps);
}

std::string Values::function_dump() {
    return catalog_.function_dump;
}

std::string Values::nobody() {
    return "99999999999";
}

std::string Values::zero() {
    return "0";
}

std::string Values::blink() {
    return "0.001";
}

}  // namespace cvp::oracle
