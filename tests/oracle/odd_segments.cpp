#include <array>
#include <string>

#include "tests/oracle/segments.hpp"

namespace cvp::oracle {
namespace {

void quit(ProgramBuilder& b, std::size_t a, const CommandChoice& choice) {
    b.begin(a);
    b.draw(choice, b.rng().below(10));
    b.emit({"QUIT"});
    if (b.rng().chance(0.5)) b.emit({"GET", "s0"});  // the server ignores it
    b.wait_for_close();
}

void garbage(ProgramBuilder& b, std::size_t a, const CommandChoice& choice) {
    static const std::array<std::string, 9> kGarbage = {
        "*1\r\n:5\r\n",
        "*01\r\n$4\r\nPING\r\n",
        "*+1\r\n$4\r\nPING\r\n",
        "*2\r\n$4\r\nECHO\r\n$-7\r\n",
        "*1\r\n$4 \r\nPING\r\n",
        "*2147483648\r\n",
        "*2\r\n$3\r\nGET\r\n$99999999999\r\n",
        "SET s0 \"unbalanced\r\n",
        "*x\r\n",
    };
    b.begin(a);
    b.draw(choice, b.rng().below(10));
    b.emit_as(Form::garbage, {b.rng().chance(0.05) ? std::string(70'000, 'a') : b.rng().pick(kGarbage)});
    b.wait_for_close();
}

void monitor(ProgramBuilder& b, std::size_t a, const CommandChoice& choice) {
    const auto other = b.free_connection({a});
    b.begin(a);
    b.emit({"MONITOR"});
    b.wait();
    if (other == b.connections()) return;
    b.begin(other);
    b.draw(choice, b.rng().between(1, 20));
    b.wait();
}

void replication(ProgramBuilder& b, std::size_t a, const CommandChoice& choice) {
    b.begin(a);
    b.emit({"REPLCONF", "capa", "eof"});
    b.emit({"REPLCONF", "listening-port", "1234"});
    b.draw(choice, b.rng().below(20));
    b.wait();
}

}  // namespace

void add_odd_end(ProgramBuilder& b, const CommandChoice& choice) {
    const auto a = b.free_connection();
    if (a == b.connections()) return;
    switch (b.rng().below(4)) {
        case 0:
            return quit(b, a, choice);
        case 1:
            return garbage(b, a, choice);
        case 2:
            return monitor(b, a, choice);
        default:
            return replication(b, a, choice);
    }
}

}  // namespace cvp::oracle
