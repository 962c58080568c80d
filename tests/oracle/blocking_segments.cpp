#include <string>
#include <vector>

#include "tests/oracle/segments.hpp"

namespace cvp::oracle {
namespace {

using Words = std::vector<std::string>;

struct Blocker {
    Words prepare;  ///< sent by the one who will free it
    Words block;
    Words release;
};

/// Ways to wait on a key of their own ("q…"), which nothing else writes.
Blocker blocker(ProgramBuilder& b) {
    const auto text = b.values().text();
    switch (b.rng().below(10)) {
        case 0:
            return {{"DEL", "q0"}, {"BLPOP", "q0", "0"}, {"RPUSH", "q0", text}};
        case 1:
            return {{"DEL", "q0", "q1"}, {"BRPOP", "q1", "q0", "0"}, {"LPUSH", "q0", text, "b"}};
        case 2:
            return {{"DEL", "q0"}, {"BLMOVE", "q0", "q2", "LEFT", "RIGHT", "0"}, {"RPUSH", "q0", text}};
        case 3:
            return {{"DEL", "q0"}, {"BRPOPLPUSH", "q0", "q2", "0"}, {"RPUSH", "q0", text}};
        case 4:
            return {{"DEL", "q0"}, {"BLMPOP", "0", "1", "q0", "LEFT", "COUNT", "2"}, {"RPUSH", "q0", "a", "b", "c"}};
        case 5:
            return {{"DEL", "qz"}, {"BZPOPMIN", "qz", "0"}, {"ZADD", "qz", "1", "a", "2", "b"}};
        case 6:
            return {{"DEL", "qz"}, {"BZPOPMAX", "qz", "0"}, {"ZADD", "qz", "1", "a", "2", "b"}};
        case 7:
            return {{"DEL", "qz"}, {"BZMPOP", "0", "1", "qz", "MAX"}, {"ZADD", "qz", "1.5", "a"}};
        case 8:
            return {{"DEL", "qx"}, {"XREAD", "BLOCK", "0", "STREAMS", "qx", "$"}, {"XADD", "qx", "9-1", "f", text}};
        default:
            return {{"XGROUP", "CREATE", "qg", b.nonce(), "$", "MKSTREAM"},
                    {"XREADGROUP", "GROUP", "?", "alice", "BLOCK", "0", "STREAMS", "qg", ">"},
                    {"XADD", "qg", (b.values().*Values::maker("xid"))(), "f", "v"}};
    }
}

}  // namespace

void add_blocking(ProgramBuilder& b, const CommandChoice&) {
    const auto a = b.free_connection();
    const auto other = b.free_connection({a});
    // What a subscriber gets while it is freed would come before or after its next reply, by chance.
    if (other == b.connections() || b.model(a).subscriptions() > 0) return;
    auto way = blocker(b);
    if (way.block.size() > 2 && way.block[2] == "?") way.block[2] = way.prepare[3];
    b.begin(other);
    b.emit({"SELECT", "0"});
    b.emit({"CLIENT", "NO-TOUCH", "OFF"});  // Valkey 8.1.1 crashes when a client with NO-TOUCH frees another
    b.emit(way.prepare);
    b.wait();

    b.begin(a);
    b.emit({"SELECT", "0"});
    b.emit({"CLIENT", "TRACKING", "OFF"});
    b.emit(way.block);
    b.wait(Wait::reply_or_blocked);  // its PING stands behind the blocked command
    const auto nonce = b.last_nonce();

    b.begin(other);
    if (b.rng().chance(0.15)) {
        b.program().uses_client_ids = true;
        b.emit({"CLIENT", "UNBLOCK", client_id_mark(a), b.rng().chance(0.5) ? "ERROR" : "TIMEOUT"});
    } else {
        b.emit(way.release);
    }
    b.emit({"DEL", "q0", "q1", "q2", "qz", "qx"});
    b.wait();
    b.await(a, nonce);

    if (b.rng().chance(0.1)) {  // nobody comes
        b.begin(a);
        b.emit({"BLPOP", "q9", "0.001"});
        if (b.rng().chance(0.3)) b.emit({"WAIT", "1", "1"});
        b.wait();
    }
}

}  // namespace cvp::oracle
