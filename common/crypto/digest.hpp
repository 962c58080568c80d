#pragma once

#include <string>
#include <string_view>

namespace cvp::crypto {

/// SHA-256 of `bytes`: 64 hexadecimal digits, lower case.
std::string sha256_hex(std::string_view bytes);

}  // namespace cvp::crypto
