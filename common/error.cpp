#include "common/error.hpp"

namespace cvp {

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
            return "invalid_argument";
        case ErrorCode::not_found:
            return "not_found";
        case ErrorCode::conflict:
            return "conflict";
        case ErrorCode::gone:
            return "gone";
        case ErrorCode::unauthenticated:
            return "unauthenticated";
        case ErrorCode::permission_denied:
            return "permission_denied";
        case ErrorCode::timeout:
            return "timeout";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::resource_exhausted:
            return "resource_exhausted";
        case ErrorCode::protocol_error:
            return "protocol_error";
        case ErrorCode::tls_failed:
            return "tls_failed";
        case ErrorCode::cancelled:
            return "cancelled";
        case ErrorCode::internal:
            return "internal";
    }
    return "internal";
}

bool is_retryable(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::tls_failed:
        case ErrorCode::cancelled:
        case ErrorCode::internal:
            return false;
        case ErrorCode::not_found:
        case ErrorCode::conflict:
        case ErrorCode::gone:
        case ErrorCode::unauthenticated:
        case ErrorCode::permission_denied:
        case ErrorCode::timeout:
        case ErrorCode::unavailable:
        case ErrorCode::resource_exhausted:
        case ErrorCode::protocol_error:
            return true;
    }
    return false;
}

std::string to_string(const Error& error) {
    std::string text(to_string(error.code));
    if (!error.context.empty()) text.append(": ").append(error.context);
    return text;
}

}  // namespace cvp
