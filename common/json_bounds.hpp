#pragma once

#include <cstddef>
#include <string_view>

namespace cvp {

/// How large a JSON text may become in memory. Parsing makes 100 bytes out of 3 (`{},`), and copying or writing a
/// document costs stack for each level.
struct JsonBounds {
    std::size_t depth = 100;       ///< levels of lists and objects
    std::size_t values = 100'000;  ///< values, keys not counted
};

/// Whether a text stays within its bounds if it is JSON. One pass without memory: to be asked before the text of a
/// stranger is parsed.
bool is_within_bounds(std::string_view json, const JsonBounds& bounds = {});

}  // namespace cvp
