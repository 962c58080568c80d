#pragma once

#include <cstdint>

#include "tests/oracle/program_builder.hpp"

namespace cvp::oracle {

/// Makes programs: the same seed and index on the same version of the server make the same program.
class Generator {
public:
    Generator(const Catalog& catalog, std::uint64_t seed);

    Program make(std::uint64_t index) const;

private:
    Program make_serial(std::uint64_t index, Rng& rng, bool stateful) const;
    Program make_parallel(std::uint64_t index, Rng& rng) const;
    void populate(ProgramBuilder& builder) const;
    /// Some stretch of one connection's or two connections' life.
    void stretch(ProgramBuilder& builder, bool stateful) const;
    void finish(ProgramBuilder& builder, bool stateful) const;

    const Catalog& catalog_;
    std::uint64_t seed_;
    CommandWriter writer_;
    CommandChoice all_;
    CommandChoice local_;
};

}  // namespace cvp::oracle
