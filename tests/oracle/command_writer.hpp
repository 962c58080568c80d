#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/oracle/catalog.hpp"
#include "tests/oracle/program.hpp"
#include "tests/oracle/values.hpp"

namespace cvp::oracle {

/// A template taken apart.
class Template {
public:
    /// Throws std::invalid_argument for a name that Values does not make.
    explicit Template(std::string_view text);

    void expand(Values& values, std::vector<Command>& out) const;

private:
    struct Piece {
        std::string literal;  ///< or, where `maker` is set, nothing
        Values::Maker maker = nullptr;
        std::size_t memory = 0;  ///< 1 to 9: the same each time
        bool ends_word = false;
    };
    std::vector<std::vector<Piece>> commands_;
};

/// Writes commands with arguments that mostly make sense: from the templates, else from what COMMAND DOCS says.
class CommandWriter {
public:
    explicit CommandWriter(const Catalog& catalog);

    /// Appends one command, or a few that belong together.
    void write(const CommandSpec& spec, Values& values, std::vector<Command>& out) const;

private:
    std::unordered_map<std::string_view, std::vector<Template>> templates_;
};

/// The arguments of a command by COMMAND DOCS alone, appended to `words`.
void write_documented(const CommandSpec& spec, Values& values, std::vector<std::string>& words);

}  // namespace cvp::oracle
