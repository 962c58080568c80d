#pragma once

#include <string>
#include <string_view>

#include "common/http/message.hpp"
#include "common/http/url.hpp"
#include "common/result.hpp"

namespace cvp::http {

/// The bytes of a request: header and body in one piece. Host, User-Agent and Content-Length are added where missing.
/// @errors invalid_argument if method, target or a header holds what HTTP does not allow there (the value is not shown)
Result<std::string> write_request(const Request& request, const Origin& origin);

/// The bytes of a response: header and body in one piece. Content-Length and Connection are ours.
/// @param answers_head the body is left out, its length is not
std::string write_response(const Response& response, bool keep_alive, bool answers_head);

}  // namespace cvp::http
