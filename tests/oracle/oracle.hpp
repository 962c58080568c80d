#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/catalog.hpp"
#include "tests/oracle/comparison.hpp"
#include "tests/oracle/generator.hpp"
#include "tests/oracle/pass.hpp"
#include "tests/oracle/server_under_test.hpp"

namespace cvp::oracle {

/// What became of one program.
struct Verdict {
    enum class Kind : std::uint8_t {
        equal,
        unstable,  ///< the two direct passes differ: a command that a mask or an exclusion must name
        differs,   ///< the pass through the proxy differs
        stuck,     ///< a pass waited in vain
        idle,      ///< the first direct one did: the program waits for itself, and compares nothing
    };
    Kind kind = Kind::equal;
    std::string report;  ///< for people; empty for equal
};

/// Runs programs directly, twice, and through something that claims to be transparent, and compares every byte.
class Oracle {
public:
    Oracle(ServerUnderTest& server, const Catalog& catalog, std::uint64_t seed)
        : server_(server), generator_(catalog, seed), direct_(connect_to_socket(server.socket())) {}

    /// What is judged. Without it only the null test is made: direct against direct.
    void set_subject(Connect subject) { subject_ = std::move(subject); }
    /// The subject logs in again all the time, and moves subscribers for it.
    void set_moves(bool moves) { moves_ = moves; }
    void set_limit(std::chrono::milliseconds limit) { options_.limit = limit; }

    Program make(std::uint64_t index) const { return generator_.make(index); }
    Verdict check(const Program& program);
    /// As check(), without the second direct pass and without counting.
    bool differs(const Program& program);

    const Coverage& coverage() const { return coverage_; }
    /// AUTH commands that the server has executed during the passes through the subject.
    std::uint64_t logins() const { return logins_; }

private:
    Result<PassResult> pass(const Program& program, const Connect& connect, bool wants_password);

    ServerUnderTest& server_;
    Generator generator_;
    Connect direct_;
    Connect subject_;
    PassOptions options_;
    bool moves_ = false;
    Coverage coverage_;
    std::uint64_t logins_ = 0;
};

/// Drops steps and commands as long as the program still differs. @param trials how often it may be run
Program shrink(Oracle& oracle, Program program, std::size_t trials);

/// The program as a list, for a report.
std::string to_string(const Program& program);

}  // namespace cvp::oracle
