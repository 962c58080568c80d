#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/http/message.hpp"
#include "common/result.hpp"

namespace cvp::test {

/// One blocking HTTP/1.1 exchange over plain TCP, on a connection of its own: for admin ports and the emulator.
/// Any status is a success.
/// @errors as ByteStream; `protocol_error` for what is no HTTP
Result<http::Response> http_call(const std::string& host, std::uint16_t port, const http::Request& request,
                                 std::chrono::milliseconds limit = std::chrono::seconds(10));

/// GET of a path.
Result<http::Response> http_get(const std::string& host, std::uint16_t port, const std::string& target,
                                std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace cvp::test
