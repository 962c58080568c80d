#pragma once

#include <string>
#include <string_view>

namespace cvp {

/// What went wrong, in classes that callers act upon. The names are the field's (gRPC, Kubernetes Status).
enum class ErrorCode {
    invalid_argument,    ///< The caller's or the user's input is wrong. A retry cannot help.
    not_found,           ///< The named thing does not exist (HTTP 404). A slow retry may help: it may appear.
    conflict,            ///< Somebody else changed or owns it (HTTP 409). Read again, then decide.
    gone,                ///< A resource version or page is too old (HTTP 410). List again.
    unauthenticated,     ///< Who we are was not accepted (HTTP 401, WRONGPASS). Retry once with a new credential.
    permission_denied,   ///< Who we are is known and not allowed (HTTP 403). Retry slowly: bindings propagate.
    timeout,             ///< A deadline passed. A retry may help.
    unavailable,         ///< Refused, reset, 5xx, EOF. A retry with backoff may help.
    resource_exhausted,  ///< A quota or a bound was hit (HTTP 429). Retry after the given or a longer delay.
    protocol_error,      ///< The peer's bytes make no sense. A retry on a new connection may help.
    tls_failed,  ///< Chain, identity or version refused by us or the peer. A retry with the same CA cannot help.
    cancelled,   ///< We are shutting down or the owner gave up. Never retried.
    internal,    ///< A library or the system failed in a way that is none of the above.
};

/// The code's name in snake_case, for logs and metric labels.
std::string_view to_string(ErrorCode code);

/// An error as a value: a class to act upon and one sentence for a human, filled in where the noun is known.
/// The context never holds a secret.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string context;

    bool operator==(const Error&) const = default;
};

/// Says whether the same call, made again later and unchanged, can succeed. The only oracle for retries.
bool is_retryable(const Error& error);

/// "unavailable: dialling 10.0.0.3:6379: connection refused".
std::string to_string(const Error& error);

}  // namespace cvp
