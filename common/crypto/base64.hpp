#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace cvp::crypto {

/// Encodes bytes with the standard alphabet and padding.
/// @source RFC 4648 section 4
std::string base64_encode(std::string_view bytes);

/// Encodes bytes with the URL-safe alphabet and without padding (JWT, query parameters).
/// @source RFC 4648 section 5
std::string base64url_encode(std::string_view bytes);

/// Decodes the standard alphabet. Line breaks are skipped, padding is required, as Go's StdEncoding has it: what
/// Kubernetes accepts is accepted.
/// @errors invalid_argument, naming the offset of the first bad character or the wrong length
Result<std::string> base64_decode(std::string_view text);

}  // namespace cvp::crypto
