#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace cvp::oracle {

/// How often commands are made, beside 1 for most.
double weight_of(std::string_view name);

/// Why a command never appears in a program, nullptr for one that does.
const char* exclusion_of(std::string_view name);

struct Exclusion {
    std::string_view name;
    const char* reason;
};
const std::vector<Exclusion>& exclusions();

/// Whether only the generator's own segments make it, because it changes what the connection understands.
bool is_made_by_segments(std::string_view name);

/// Templates of a command, empty where COMMAND DOCS is guide enough. Words are separated by blanks, several commands
/// by " ; ". A word between braces is made by Values; with a digit behind it ("{l1}") it stays the same within the
/// template.
struct WrittenCommand {
    std::string_view name;
    std::string_view text;
};
const std::vector<WrittenCommand>& written_commands();

}  // namespace cvp::oracle
