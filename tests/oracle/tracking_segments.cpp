#include <string>

#include "tests/oracle/segments.hpp"

namespace cvp::oracle {
namespace {

/// Each write is a step of its own: what the server announces of a broadcast it collects for one turn of its loop.
void broadcast(ProgramBuilder& b, std::size_t a, std::size_t other) {
    b.begin(a);
    b.emit({"HELLO", "3"});
    b.emit({"CLIENT", "TRACKING", "OFF"});
    b.emit({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "bc:"});
    b.emit({"CLIENT", "TRACKINGINFO"});
    b.wait();
    const auto writes = b.rng().between(1, 4);
    for (std::size_t i = 0; i < writes; ++i) {
        b.begin(other);
        if (b.rng().chance(0.5))
            b.emit({"SET", "bc:" + std::to_string(b.rng().below(3)), b.values().text()});
        else
            b.emit({"MSET", "bc:1", "a", "bc:2", "b"});
        b.wait();
    }
    b.begin(a);
    b.emit({"CLIENT", "TRACKING", "OFF"});
    b.emit({"GET", "bc:1"});
    b.wait();
}

/// Invalidations for `a` are sent to `target`, as messages where that one speaks RESP2.
void redirect(ProgramBuilder& b, std::size_t a, std::size_t target) {
    b.program().uses_client_ids = true;
    b.begin(target);
    b.emit({"HELLO", b.rng().chance(0.7) ? "2" : "3"});
    b.emit({"SUBSCRIBE", "__redis__:invalidate"});
    b.wait();
    b.begin(a);
    b.emit({"CLIENT", "TRACKING", "OFF"});
    b.emit({"CLIENT", "TRACKING", "ON", "REDIRECT", client_id_mark(target)});
    b.emit({"CLIENT", "GETREDIR"});
    const auto times = b.rng().between(1, 5);
    for (std::size_t i = 0; i < times; ++i) {
        b.emit({"GET", "s0"});
        b.emit({"GET", "s1"});
        b.emit({"SET", b.rng().chance(0.5) ? "s0" : "s1", b.values().text()});
    }
    b.emit({"CLIENT", "TRACKING", "OFF"});
    b.wait();
    b.begin(target);
    b.emit({"UNSUBSCRIBE"});
    b.wait();
}

void with_reads(ProgramBuilder& b, std::size_t a, std::size_t other, const CommandChoice& choice) {
    const auto die = b.rng().below(4);
    b.begin(a);
    if (b.rng().chance(0.9)) b.emit({"HELLO", "3"});
    b.emit({"CLIENT", "TRACKING", "OFF"});
    if (die == 0)
        b.emit({"CLIENT", "TRACKING", "ON", "OPTIN"});
    else if (die == 1)
        b.emit({"CLIENT", "TRACKING", "ON", "OPTOUT", "NOLOOP"});
    else if (die == 2)
        b.emit({"CLIENT", "TRACKING", "ON", "NOLOOP"});
    else
        b.emit({"CLIENT", "TRACKING", "ON"});
    const auto reads = b.rng().between(1, 8);
    for (std::size_t i = 0; i < reads; ++i) {
        if (b.rng().chance(die < 2 ? 0.5 : 0.05)) b.emit({"CLIENT", "CACHING", die == 1 ? "NO" : "YES"});
        b.emit({"GET", "s" + std::to_string(b.rng().below(4))});
        if (b.rng().chance(0.3)) b.emit({"SET", "s" + std::to_string(b.rng().below(4)), b.values().text()});
        if (b.rng().chance(0.1)) {
            b.emit({"MULTI"});
            b.emit({"GET", "s1"});
            b.emit({"SET", "s1", "in-multi"});
            b.emit({"EXEC"});
        }
    }
    if (b.rng().chance(0.3)) b.emit({"CLIENT", "TRACKINGINFO"});
    b.wait();
    b.begin(other);
    for (int i = 0; i < 4; ++i)
        b.emit({"SET", "s" + std::to_string(i), b.values().text()});
    b.draw(choice, b.rng().below(6));
    b.wait();
    if (b.rng().chance(0.7)) {
        b.begin(a);
        b.emit({"CLIENT", "TRACKING", "OFF"});
        b.wait();
    }
}

}  // namespace

void add_tracking(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    const auto other = b.free_connection({a});
    if (other == b.connections()) return;
    const auto die = b.rng().below(10);
    if (die < 2) return broadcast(b, a, other);
    // A name for another client must be known before the first step, so the target subscribes to nothing else.
    if (die < 4 && b.model(other).subscriptions() == 0) return redirect(b, a, other);
    with_reads(b, a, other, choice);
}

}  // namespace cvp::oracle
