#include "proxy/resp/command_table.hpp"

#include <algorithm>
#include <array>

namespace cvp::proxy {
namespace {

/// "other" first; then what changes or blocks its connection; then data commands, for the metrics' label alone.
///
/// Commands that change state are captured whole: they are short, and what happens to them is decided once. WATCH is
/// not: its keys may be long and do not matter.
constexpr CommandInfo kEntries[] = {
    {.name = "other"},

    {.name = "asking", .effect = Effect::asking, .captured = kAllArguments},
    {.name = "auth", .effect = Effect::auth, .captured = kAllArguments},
    {.name = "blmove", .effect = Effect::blocks},
    {.name = "blmpop", .effect = Effect::blocks},
    {.name = "blpop", .effect = Effect::blocks},
    {.name = "brpop", .effect = Effect::blocks},
    {.name = "brpoplpush", .effect = Effect::blocks},
    {.name = "bzmpop", .effect = Effect::blocks},
    {.name = "bzpopmax", .effect = Effect::blocks},
    {.name = "bzpopmin", .effect = Effect::blocks},
    {.name = "client", .effect = Effect::client, .captured = kAllArguments},
    {.name = "discard", .effect = Effect::discard, .captured = kAllArguments},
    {.name = "exec", .effect = Effect::exec, .captured = kAllArguments},
    {.name = "hello", .effect = Effect::hello, .captured = kAllArguments},
    {.name = "monitor", .effect = Effect::monitor, .captured = kAllArguments},
    {.name = "multi", .effect = Effect::multi, .captured = kAllArguments},
    {.name = "psubscribe", .effect = Effect::subscribe, .captured = kAllArguments},
    {.name = "psync", .effect = Effect::replication, .captured = kAllArguments},
    {.name = "punsubscribe", .effect = Effect::unsubscribe, .captured = kAllArguments},
    {.name = "quit", .effect = Effect::quit, .captured = kAllArguments},
    {.name = "readonly", .effect = Effect::readonly, .captured = kAllArguments},
    {.name = "readwrite", .effect = Effect::readwrite, .captured = kAllArguments},
    {.name = "replconf", .effect = Effect::replication, .captured = kAllArguments},
    {.name = "reset", .effect = Effect::reset, .captured = kAllArguments},
    {.name = "select", .effect = Effect::select, .captured = kAllArguments},
    {.name = "ssubscribe", .effect = Effect::subscribe, .captured = kAllArguments},
    {.name = "subscribe", .effect = Effect::subscribe, .captured = kAllArguments},
    {.name = "sunsubscribe", .effect = Effect::unsubscribe, .captured = kAllArguments},
    {.name = "sync", .effect = Effect::replication, .captured = kAllArguments},
    {.name = "unsubscribe", .effect = Effect::unsubscribe, .captured = kAllArguments},
    {.name = "unwatch", .effect = Effect::unwatch, .captured = kAllArguments},
    {.name = "wait", .effect = Effect::waits},
    {.name = "waitaof", .effect = Effect::waits},
    {.name = "watch", .effect = Effect::watch},
    // COUNT n BLOCK ms STREAMS key
    {.name = "xread", .effect = Effect::blocks_if_option, .captured = 6},
    // GROUP group consumer COUNT n BLOCK ms NOACK
    {.name = "xreadgroup", .effect = Effect::blocks_if_option, .captured = 8},

    {.name = "acl"},
    {.name = "append"},
    {.name = "bitcount"},
    {.name = "bitfield"},
    {.name = "bitfield_ro"},
    {.name = "bitop"},
    {.name = "bitpos"},
    {.name = "cluster"},
    {.name = "command"},
    {.name = "config"},
    {.name = "copy"},
    {.name = "dbsize"},
    {.name = "decr"},
    {.name = "decrby"},
    {.name = "del"},
    {.name = "dump"},
    {.name = "echo"},
    {.name = "eval", .effect = Effect::script, .captured = 1},
    {.name = "eval_ro", .effect = Effect::script, .captured = 1},
    {.name = "evalsha"},
    {.name = "evalsha_ro"},
    {.name = "exists"},
    {.name = "expire"},
    {.name = "expireat"},
    {.name = "expiretime"},
    {.name = "fcall"},
    {.name = "fcall_ro"},
    {.name = "flushall"},
    {.name = "flushdb"},
    {.name = "function"},
    {.name = "geoadd"},
    {.name = "geodist"},
    {.name = "geohash"},
    {.name = "geopos"},
    {.name = "georadius"},
    {.name = "georadiusbymember"},
    {.name = "geosearch"},
    {.name = "geosearchstore"},
    {.name = "get"},
    {.name = "getbit"},
    {.name = "getdel"},
    {.name = "getex"},
    {.name = "getrange"},
    {.name = "getset"},
    {.name = "hdel"},
    {.name = "hexists"},
    {.name = "hget"},
    {.name = "hgetall"},
    {.name = "hincrby"},
    {.name = "hincrbyfloat"},
    {.name = "hkeys"},
    {.name = "hlen"},
    {.name = "hmget"},
    {.name = "hmset"},
    {.name = "hrandfield"},
    {.name = "hscan"},
    {.name = "hset"},
    {.name = "hsetnx"},
    {.name = "hstrlen"},
    {.name = "hvals"},
    {.name = "incr"},
    {.name = "incrby"},
    {.name = "incrbyfloat"},
    {.name = "info"},
    {.name = "keys"},
    {.name = "lindex"},
    {.name = "linsert"},
    {.name = "llen"},
    {.name = "lmove"},
    {.name = "lmpop"},
    {.name = "lpop"},
    {.name = "lpos"},
    {.name = "lpush"},
    {.name = "lpushx"},
    {.name = "lrange"},
    {.name = "lrem"},
    {.name = "lset"},
    {.name = "ltrim"},
    {.name = "memory"},
    {.name = "mget"},
    {.name = "move"},
    {.name = "mset"},
    {.name = "msetnx"},
    {.name = "object"},
    {.name = "persist"},
    {.name = "pexpire"},
    {.name = "pexpireat"},
    {.name = "pfadd"},
    {.name = "pfcount"},
    {.name = "pfmerge"},
    {.name = "ping"},
    {.name = "psetex"},
    {.name = "pttl"},
    {.name = "publish"},
    {.name = "pubsub"},
    {.name = "randomkey"},
    {.name = "rename"},
    {.name = "renamenx"},
    {.name = "restore"},
    {.name = "role"},
    {.name = "rpop"},
    {.name = "rpoplpush"},
    {.name = "rpush"},
    {.name = "rpushx"},
    {.name = "sadd"},
    {.name = "scan"},
    {.name = "scard"},
    {.name = "script", .effect = Effect::script, .captured = 2},
    {.name = "sdiff"},
    {.name = "sdiffstore"},
    {.name = "set"},
    {.name = "setbit"},
    {.name = "setex"},
    {.name = "setnx"},
    {.name = "setrange"},
    {.name = "sinter"},
    {.name = "sintercard"},
    {.name = "sinterstore"},
    {.name = "sismember"},
    {.name = "slowlog"},
    {.name = "smembers"},
    {.name = "smismember"},
    {.name = "smove"},
    {.name = "sort"},
    {.name = "sort_ro"},
    {.name = "spop"},
    {.name = "spublish"},
    {.name = "srandmember"},
    {.name = "srem"},
    {.name = "sscan"},
    {.name = "strlen"},
    {.name = "sunion"},
    {.name = "sunionstore"},
    {.name = "time"},
    {.name = "touch"},
    {.name = "ttl"},
    {.name = "type"},
    {.name = "unlink"},
    {.name = "xack"},
    {.name = "xadd"},
    {.name = "xautoclaim"},
    {.name = "xclaim"},
    {.name = "xdel"},
    {.name = "xgroup"},
    {.name = "xinfo"},
    {.name = "xlen"},
    {.name = "xpending"},
    {.name = "xrange"},
    {.name = "xrevrange"},
    {.name = "xtrim"},
    {.name = "zadd"},
    {.name = "zcard"},
    {.name = "zcount"},
    {.name = "zdiff"},
    {.name = "zincrby"},
    {.name = "zinter"},
    {.name = "zinterstore"},
    {.name = "zlexcount"},
    {.name = "zmpop"},
    {.name = "zmscore"},
    {.name = "zpopmax"},
    {.name = "zpopmin"},
    {.name = "zrandmember"},
    {.name = "zrange"},
    {.name = "zrangebylex"},
    {.name = "zrangebyscore"},
    {.name = "zrangestore"},
    {.name = "zrank"},
    {.name = "zrem"},
    {.name = "zremrangebylex"},
    {.name = "zremrangebyrank"},
    {.name = "zremrangebyscore"},
    {.name = "zrevrange"},
    {.name = "zrevrangebyscore"},
    {.name = "zrevrank"},
    {.name = "zscan"},
    {.name = "zscore"},
    {.name = "zunion"},
    {.name = "zunionstore"},
};

constexpr std::size_t kSize = std::size(kEntries);
constexpr std::size_t kSlots = 1024;  // a power of two, five times the entries: most look-ups end at their first slot
static_assert(kSize * 4 < kSlots);

using Entries = std::array<CommandInfo, kSize>;
/// Places in the table by hash; 0, which is "other", where none is.
using Slots = std::array<std::uint8_t, kSlots>;
static_assert(kSize <= 256);

/// The same for upper and lower case; a few characters that are none share a bit too, which costs a comparison.
constexpr std::size_t hash_of(std::string_view name) {
    std::uint32_t hash = 2166136261;
    for (const char c : name) {
        hash = (hash ^ (static_cast<unsigned char>(c) | 0x20U)) * 16777619;
    }
    return (hash ^ hash >> 15) % kSlots;
}

consteval Entries number_entries() {
    Entries entries{};
    for (std::size_t i = 0; i < kSize; ++i) {
        entries[i] = kEntries[i];
        entries[i].index = static_cast<std::uint16_t>(i);
    }
    return entries;
}

consteval Slots place_entries() {
    Slots slots{};
    for (std::size_t i = 1; i < kSize; ++i) {
        auto slot = hash_of(kEntries[i].name);
        while (slots[slot] != 0)
            slot = (slot + 1) % kSlots;
        slots[slot] = static_cast<std::uint8_t>(i);
    }
    return slots;
}

constexpr Entries kTable = number_entries();
constexpr Slots kPlaces = place_entries();

consteval std::size_t longest_name() {
    std::size_t longest = 0;
    for (const auto& entry : kTable)
        longest = std::max(longest, entry.name.size());
    return longest;
}
static_assert(longest_name() == kLongestCommand);

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

const std::size_t kCommands = kSize;

const CommandInfo& find_command(std::string_view name) {
    if (name.size() > kLongestCommand) return kTable[0];
    for (auto slot = hash_of(name); kPlaces[slot] != 0; slot = (slot + 1) % kSlots) {
        const auto& entry = kTable[kPlaces[slot]];
        if (equals_ignoring_case(name, entry.name)) return entry;
    }
    return kTable[0];
}

const CommandInfo& command_at(std::size_t index) {
    return kTable[index];
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
    if (a.size() != lower.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != lower[i]) return false;
    }
    return true;
}

}  // namespace cvp::proxy
