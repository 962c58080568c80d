#include <array>
#include <string>
#include <vector>

#include "tests/oracle/segments.hpp"

namespace cvp::oracle {
namespace {

const std::array<std::string, 7> kChannels = {"c0",        "c1", "c2", "c3", "__keyevent@0__:set", "__keyspace@0__:s0",
                                              "with space"};
const std::array<std::string, 4> kPatterns = {"c*", "c[0-1]", "__key*__:*", "*"};
const std::array<std::string, 3> kShards = {"sh0", "sh1", "sh2"};

template <class Names>
std::vector<std::string> command_with(ProgramBuilder& b, const char* name, const Names& names, std::size_t most) {
    std::vector<std::string> words = {name};
    const auto count = b.rng().between(1, most);
    for (std::size_t i = 0; i < count; ++i)
        words.push_back(b.rng().pick(names));
    return words;
}

void subscribe(ProgramBuilder& b) {
    const auto die = b.rng().below(10);
    if (die < 4)
        b.emit(command_with(b, "SUBSCRIBE", kChannels, 3));
    else if (die < 7)
        b.emit(command_with(b, "PSUBSCRIBE", kPatterns, 2));
    else
        b.emit(command_with(b, "SSUBSCRIBE", kShards, 2));
}

void unsubscribe(ProgramBuilder& b) {
    const auto die = b.rng().below(3);
    const char* name = die == 0 ? "UNSUBSCRIBE" : die == 1 ? "PUNSUBSCRIBE" : "SUNSUBSCRIBE";
    if (b.rng().chance(0.6))
        b.emit({name});
    else if (die == 0)
        b.emit(command_with(b, name, kChannels, 3));
    else if (die == 1)
        b.emit(command_with(b, name, kPatterns, 2));
    else
        b.emit(command_with(b, name, kShards, 2));
}

void publish(ProgramBuilder& b, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (b.rng().chance(0.3))
            b.emit({"SPUBLISH", b.rng().pick(kShards), b.values().text()});
        else
            b.emit({"PUBLISH", b.rng().pick(kChannels), b.values().text()});
        if (b.rng().chance(0.2)) b.emit({"SET", "s0", b.values().text()});
    }
}

/// A subscriber that wants no replies gets its messages all the same, and the frames of its subscriptions.
void subscribe_in_silence(ProgramBuilder& b, std::size_t a, std::size_t other) {
    b.begin(a);
    b.emit({"CLIENT", "REPLY", b.rng().chance(0.7) ? "OFF" : "SKIP"});
    const auto nonce = b.nonce();
    b.emit({"SUBSCRIBE", nonce, "c0"});
    b.set_nonce(nonce);
    b.set_wait(Wait::reply);
    b.begin(other);
    publish(b, b.rng().between(1, 5));
    b.wait();
    b.begin(a);
    b.emit({"UNSUBSCRIBE"});
    b.emit({"CLIENT", "REPLY", "ON"});
    b.wait();
}

}  // namespace

void add_pubsub(ProgramBuilder& b, const CommandChoice&) {
    const auto a = b.rng().below(b.connections());
    const auto& model = b.model(a);
    if (model.is_closed() || model.is_in_multi() || !model.replies()) return;
    const auto other = b.free_connection({a});
    if (other != b.connections() && b.is_free(a) && model.subscriptions() == 0 && b.rng().chance(0.1))
        return subscribe_in_silence(b, a, other);
    b.begin(a);
    const auto changes = b.rng().between(1, 3);
    for (std::size_t i = 0; i < changes; ++i) {
        if (model.subscriptions() > 3 || b.rng().chance(0.4))
            unsubscribe(b);
        else
            subscribe(b);
        if (b.rng().chance(0.3)) b.emit({"PING"});
    }
    // A RESP3 subscriber goes on with other commands, and may publish to itself.
    if (!model.is_restricted()) publish(b, b.rng().below(3));
    b.wait();
    if (other != b.connections()) {
        b.begin(other);
        publish(b, b.rng().between(1, 20));
        b.wait();
    }
    // Most do not stay: a subscriber on RESP2 can do little else.
    if (model.is_restricted() && b.rng().chance(0.7)) {
        b.begin(a);
        b.emit({"UNSUBSCRIBE"});
        b.emit({"PUNSUBSCRIBE"});
        b.emit({"SUNSUBSCRIBE"});
        b.wait();
    }
}

}  // namespace cvp::oracle
