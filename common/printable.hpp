#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cvp {

/// Foreign text made safe for logs, conditions and admission answers: everything but printable ASCII becomes '?', and
/// what is longer than `max_bytes` is cut and ends in "…".
std::string printable(std::string_view text, std::size_t max_bytes = 64);

/// printable() in double quotes. (Not `quoted`: a std::string argument would find std::quoted instead.)
std::string in_quotes(std::string_view text, std::size_t max_bytes = 64);

/// The beginning of a UTF-8 text, at most so many bytes, no character cut in two.
std::string_view whole_characters(std::string_view text, std::size_t max_bytes);

}  // namespace cvp
