#pragma once

#include <string>
#include <string_view>

namespace cvp::crypto {

/// SHA-256 of `bytes`: 64 hexadecimal digits, lower case.
std::string sha256_hex(std::string_view bytes);

/// SHA-1 of `bytes`: 40 hexadecimal digits, lower case. For names that others have made of it, not for secrets.
std::string sha1_hex(std::string_view bytes);

}  // namespace cvp::crypto
