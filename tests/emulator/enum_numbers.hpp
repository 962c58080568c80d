#pragma once

#include <string>
#include <string_view>

namespace cvp::emulator {

/// An instance (JSON text) as `$alt=json;enum-encoding=int` answers it: the names of enum values replaced by their
/// numbers. Names that the API does not know stay as they are.
std::string with_enum_numbers(std::string_view document);

}  // namespace cvp::emulator
