#include "tests/oracle/generator.hpp"

#include <string>

#include "tests/oracle/segments.hpp"

namespace cvp::oracle {
namespace {

constexpr double kParallel = 0.15;
constexpr double kPlain = 0.2;
constexpr double kBig = 0.03;
constexpr double kOddEnd = 0.6;
constexpr std::size_t kFewest = 250;
constexpr std::size_t kMost = 1800;

}  // namespace

Generator::Generator(const Catalog& catalog, std::uint64_t seed)
    : catalog_(catalog), seed_(seed), writer_(catalog), all_(catalog, false), local_(catalog, true) {}

Program Generator::make(std::uint64_t index) const {
    Rng rng(mix(mix(seed_, index), 1));
    const auto die = static_cast<double>(rng.below(1000)) / 1000;
    if (die < kParallel) return make_parallel(index, rng);
    return make_serial(index, rng, die >= kParallel + kPlain);
}

/// Values of every type under the keys that the commands work on.
void Generator::populate(ProgramBuilder& builder) const {
    auto& values = builder.values();
    for (const char* n : {"0", "1", "2", "3"}) {
        const auto key = [&](const char* kind) { return values.named(std::string(kind) + n); };
        const auto made = [&](const char* name) { return (values.*Values::maker(name))(); };
        builder.emit({"SET", key("s"), values.text()});
        builder.emit({"SET", key("n"), std::to_string(builder.rng().below(100))});
        builder.emit({"SET", key("b"), "bits of " + values.member()});
        builder.emit({"RPUSH", key("l"), values.member(), values.member(), values.text(), "7"});
        builder.emit({"SADD", key("t"), values.member(), values.member(), values.text()});
        builder.emit({"ZADD", key("z"), "1", "m1", "2.5", "m2", "-3", values.member()});
        builder.emit({"HSET", key("h"), values.field(), values.text(), values.field(), "v", "n0", "5", "n1", "1"});
        builder.emit({"PFADD", key("p"), values.member(), values.text()});
        std::vector<std::string> places = {"GEOADD", key("g")};
        for (int i = 0; i < 15; ++i)
            places.insert(places.end(), {made("lon"), made("lat"), "m" + std::to_string(i)});
        builder.emit(std::move(places));
        for (int entry = 1; entry <= 6; ++entry)
            builder.emit({"XADD", key("x"), std::to_string(entry) + "-1", "f", values.member()});
        for (const char* group : {"G0", "G1", "G2", "G3"})
            builder.emit({"XGROUP", "CREATE", key("x"), group, "0"});
        builder.emit({"HSET", key("e"), values.field(), "v", values.field(), "w"});
    }
}

Program Generator::make_serial(std::uint64_t index, Rng& rng, bool stateful) const {
    const auto connections = stateful ? rng.between(2, 5) : rng.between(1, 3);
    ProgramBuilder builder(catalog_, writer_, seed_, index, connections, rng.chance(kBig));
    const auto target = builder.rng().between(kFewest, kMost);
    builder.begin(0);
    populate(builder);
    for (std::size_t i = 0; i < scripts().size(); ++i)
        builder.emit({"SCRIPT", "LOAD", scripts()[i]});
    builder.emit({"FUNCTION", "LOAD", "REPLACE", function_library(0)});
    builder.emit({"FUNCTION", "LOAD", "REPLACE", function_library(1)});
    builder.wait();
    while (builder.commands() < target)
        stretch(builder, stateful);
    finish(builder, stateful);
    return std::move(builder.program());
}

void Generator::stretch(ProgramBuilder& builder, bool stateful) const {
    if (stateful && builder.rng().chance(0.7)) {
        add_state_segment(builder, all_);
        return;
    }
    const auto connection = builder.rng().below(builder.connections());
    const auto& model = builder.model(connection);
    if (model.is_closed()) return;
    builder.begin(connection);
    if (model.is_restricted()) {
        // Mostly what a subscriber may send, and now and then what it may not.
        builder.emit({"PING"});
        if (builder.rng().chance(0.3)) builder.draw(all_, 2);
    } else {
        const auto most = builder.rng().chance(0.25) ? 400U : 40U;
        builder.draw(all_, builder.rng().between(1, most));
    }
    if (builder.rng().chance(0.03)) populate(builder);
    builder.wait();
}

void Generator::finish(ProgramBuilder& builder, bool stateful) const {
    while (stateful && builder.rng().chance(kOddEnd))
        add_odd_end(builder, all_);
    for (std::size_t i = 0; i < builder.connections(); ++i) {
        if (builder.model(i).is_closed()) continue;
        builder.begin(i);
        if (builder.model(i).is_in_multi()) builder.emit({"EXEC"});
        builder.wait();
    }
}

/// Several connections at the same time, each with keys of its own: their replies must not meet.
Program Generator::make_parallel(std::uint64_t index, Rng& rng) const {
    const auto connections = rng.between(2, 8);
    ProgramBuilder builder(catalog_, writer_, seed_, index, connections, rng.chance(kBig));
    const auto target = builder.rng().between(kFewest, 2 * kMost);
    for (std::size_t round = 0; round == 0 || builder.commands() < target; ++round) {
        const auto first = builder.rng().below(connections);
        const auto count = round == 0 ? connections : builder.rng().between(1, connections);
        for (std::size_t i = 0; i < count; ++i) {
            const auto connection = (first + i) % connections;
            builder.values().set_prefix("c" + std::to_string(connection) + ":");
            if (i == 0)
                builder.begin(connection);
            else
                builder.also(connection);
            if (round == 0) populate(builder);
            if (builder.rng().chance(0.1)) builder.emit({"HELLO", builder.rng().chance(0.5) ? "3" : "2"});
            if (builder.rng().chance(0.2)) {
                builder.emit({"MULTI"});
                builder.draw(local_, builder.rng().between(0, 8));
                builder.emit({"EXEC"});
            }
            builder.draw(local_, builder.rng().between(0, builder.rng().chance(0.2) ? 500 : 50));
            builder.wait();
        }
    }
    return std::move(builder.program());
}

}  // namespace cvp::oracle
