#pragma once

#include <string>

#include "common/http/message.hpp"
#include "tests/emulator/faults.hpp"

namespace cvp::emulator {

/// Headers that googleapis.com puts on every JSON answer, good or bad.
http::Response google_response(unsigned status, std::string json);

/// 404 of an instance that does not exist.
http::Response not_found(const std::string& resource);
/// 404 of a path that is no API: a page of HTML.
http::Response no_such_path(const std::string& path);
/// 400 of a call that the API knows and refuses.
http::Response failed_precondition(const std::string& message);

/// 401 without a token, and with one that is unknown or expired. `method` is the RPC's full name.
http::Response credentials_missing(const std::string& method);
http::Response credentials_invalid(const std::string& method);

/// 403 for a role that is missing, an API that is off, a token whose scopes are too narrow.
http::Response permission_denied(const std::string& resource);
http::Response api_disabled(const std::string& project_number);
http::Response scope_insufficient(const std::string& method);

/// 429, 503.
http::Response quota_exceeded(const std::string& project_number);
http::Response unavailable();

/// The answer that an injected fault asks for: its status, and its reason where a status has several forms.
http::Response answer_of(const Fault& fault, const std::string& resource, const std::string& method,
                         const std::string& project_number);

}  // namespace cvp::emulator
