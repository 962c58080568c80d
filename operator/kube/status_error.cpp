#include "operator/kube/status_error.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
    long seconds = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (ec != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
    return std::chrono::seconds(seconds);
}

/// Takes what a Status document says; anything else leaves `into` as it is. Returns the message.
std::string read_status(std::string_view body, KubeError& into) {
    const auto status = Json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (find_string(status, {"kind"}) != "Status") return {};
    into.reason = find_string(status, {"reason"});
    if (const auto* code = find_value(status, {"code"}); code && code->is_number_unsigned()) {
        into.http_status = code->get<unsigned>();
    }
    for (const auto& cause : find_array(status, {"details", "causes"})) {
        into.causes.push_back(
            {find_string(cause, {"reason"}), find_string(cause, {"message"}), find_string(cause, {"field"})});
    }
    const auto* retry = find_value(status, {"details", "retryAfterSeconds"});
    if (retry && retry->is_number_unsigned() && retry->get<unsigned>() > 0) {
        into.retry_after = std::chrono::seconds(retry->get<unsigned>());
    }
    return find_string(status, {"message"});
}

}  // namespace

bool KubeError::has_cause(std::string_view cause_reason) const {
    return std::any_of(causes.begin(), causes.end(), [&](const auto& cause) { return cause.reason == cause_reason; });
}

ErrorCode error_code_of(unsigned http_status) {
    switch (http_status) {
        case 400:
        case 413:
        case 422:
            return ErrorCode::invalid_argument;
        case 401:
            return ErrorCode::unauthenticated;
        case 403:
            return ErrorCode::permission_denied;
        case 404:
            return ErrorCode::not_found;
        case 408:
        case 504:
            return ErrorCode::timeout;
        case 409:
            return ErrorCode::conflict;
        case 410:
            return ErrorCode::gone;
        case 429:
            return ErrorCode::resource_exhausted;
        default:
            return http_status >= 500 ? ErrorCode::unavailable : ErrorCode::protocol_error;
    }
}

KubeError make_kube_error(const std::string& call, const http::Response& response) {
    KubeError error;
    error.http_status = response.status;
    auto message = read_status(response.body, error);
    error.http_status = response.status;
    if (message.empty()) message = "HTTP status " + std::to_string(response.status);
    if (const auto header = response.headers.find("Retry-After")) {
        if (const auto seconds = parse_seconds(*header)) error.retry_after = seconds;
    }
    error.error = {error_code_of(error.http_status), call + ": " + message};
    return error;
}

KubeError make_kube_error(const std::string& call, std::string_view status_json) {
    KubeError error;
    auto message = read_status(status_json, error);
    if (message.empty()) message = error.reason.empty() ? "an error without a Status" : error.reason;
    error.error = {error_code_of(error.http_status), call + ": " + message};
    return error;
}

KubeError make_kube_error(const std::string& call, const Error& error) {
    KubeError made;
    made.error = {error.code, call + ": " + error.context};
    return made;
}

}  // namespace cvp::op
