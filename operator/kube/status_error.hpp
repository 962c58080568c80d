#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/error.hpp"
#include "common/http/message.hpp"
#include "common/result.hpp"

namespace cvp::op {

/// One entry of a Status' details.causes.
struct StatusCause {
    std::string reason;   ///< "FieldValueInvalid", "NamespaceTerminating", …
    std::string message;  ///< for a human
    std::string field;    ///< key path, "" where the cause is about no field

    bool operator==(const StatusCause&) const = default;
};

/// A call to the API server that failed: what to do about it (`error.code`), and what the server's Status said.
///
/// For faults before an answer (dial, TLS, time) `http_status` is 0 and the rest is empty.
struct KubeError {
    Error error;                                      ///< code to act upon; context names the call and the message
    unsigned http_status = 0;                         ///< the Status' code, 0: there was no answer
    std::string reason;                               ///< "AlreadyExists", "Expired", …: the Status' reason
    std::vector<StatusCause> causes;                  ///< the Status' details.causes
    std::optional<std::chrono::seconds> retry_after;  ///< Retry-After, or details.retryAfterSeconds

    /// Whether a cause of that reason is among `causes`.
    bool has_cause(std::string_view cause_reason) const;
};

/// A value or a KubeError.
template <class T>
using KubeResult = tl::expected<T, KubeError>;

/// Class of an HTTP status: 400, 422 → invalid_argument; 401 → unauthenticated; 403 → permission_denied; 404 →
/// not_found; 408, 504 → timeout; 409 → conflict; 410 → gone; 429 → resource_exhausted; 413 → invalid_argument;
/// other 5xx → unavailable; else protocol_error.
ErrorCode error_code_of(unsigned http_status);

/// Reads a failed response (status 400 and up). A body that is no Status gives the status alone.
/// @param call what was tried, e.g. "get configmaps shop/x"
KubeError make_kube_error(const std::string& call, const http::Response& response);

/// Reads the object of a watch event of type ERROR: a Status as JSON text.
KubeError make_kube_error(const std::string& call, std::string_view status_json);

/// Wraps a fault without an answer; the context gets `call` in front.
KubeError make_kube_error(const std::string& call, const Error& error);

}  // namespace cvp::op
