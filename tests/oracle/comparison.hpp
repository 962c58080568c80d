#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/coverage.hpp"
#include "tests/oracle/pass.hpp"
#include "tests/oracle/program.hpp"

namespace cvp::oracle {

/// Where two passes first differ on a connection.
struct Difference {
    std::size_t connection = 0;
    std::size_t offset = 0;  ///< in the expected stream
    std::string command;     ///< whose reply it is, as far as that is known
    std::string before;      ///< the commands before it
    std::string expected;    ///< the rest of both streams, escaped and cut
    std::string seen;
};

/// For people.
std::string to_string(const Program& program, const Difference& difference);

/// The first direct pass of a program, taken apart: what all others are compared with.
class Reference {
public:
    /// @param moves see SessionModel
    Reference(const Program& program, const PassResult& pass, bool moves = false);

    /// @return the first difference outside the mask
    std::optional<Difference> compare(const PassResult& other) const;
    /// Adds this program's commands, errors and masked bytes.
    void count(Coverage& coverage) const;

private:
    std::optional<Difference> compare_streams(std::size_t connection, const std::string& other) const;
    Difference difference_at(std::size_t connection, std::size_t frame, std::size_t begin, std::string_view seen) const;

    const Program& program_;
    const PassResult& pass_;
    std::vector<std::vector<Sent>> sent_;
    std::vector<Transcript> transcripts_;
};

}  // namespace cvp::oracle
