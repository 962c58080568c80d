#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/catalog.hpp"
#include "tests/oracle/transcript.hpp"

namespace cvp::oracle {

/// What a run has executed, by command.
class Coverage {
public:
    struct Entry {
        std::uint64_t calls = 0;
        std::uint64_t errors = 0;
        std::uint64_t masked_bytes = 0;
    };

    void add_call(const std::string& name) { ++entries_[name].calls; }
    Entry& entry(const std::string& name) { return entries_[name]; }
    const std::map<std::string, Entry>& entries() const { return entries_; }

    std::uint64_t programs = 0;
    std::uint64_t stateful_programs = 0;
    std::uint64_t commands = 0;
    std::uint64_t replies = 0;
    std::uint64_t errors = 0;
    std::uint64_t pushes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t masked_bytes = 0;
    std::uint64_t masked_replies = 0;
    std::uint64_t lost = 0;  ///< stretches whose replies could not be assigned

    double masked_share() const;
    /// Commands of the server that are on no exclusion list and were called too rarely for its size.
    /// @param left_out commands that shall not appear
    std::vector<std::string> rare(const Catalog& catalog, const std::set<std::string>& left_out = {}) const;

private:
    std::map<std::string, Entry> entries_;
};

/// The figures of a run, for people. @param all a line for each command too
std::string to_string(const Coverage& coverage, const Catalog& catalog, bool all);

}  // namespace cvp::oracle
