#include "common/http/writer.hpp"

#include <algorithm>

#include <boost/beast/http/status.hpp>

namespace cvp::http {
namespace {

constexpr std::string_view kUserAgent = "cloud-valkey-proxy/" CVP_VERSION;

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool is_target(std::string_view text) {
    return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

bool has_no_body(unsigned status) {
    return status < 200 || status == 204 || status == 304;
}

}  // namespace

Result<std::string> write_request(const Request& request, const Origin& origin) {
    if (!is_token(request.method)) return fail(ErrorCode::invalid_argument, "the HTTP method is not a word");
    if (!is_target(request.target)) {
        return fail(ErrorCode::invalid_argument, "the request target must begin with / and be percent-encoded");
    }
    std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
    if (!request.headers.find("Host")) append_field(out, "Host", origin.host_header());
    if (!request.headers.find("User-Agent")) append_field(out, "User-Agent", kUserAgent);
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name) || !is_field_value(value)) {
            return fail(ErrorCode::invalid_argument, "a request header holds a character that HTTP does not allow");
        }
        append_field(out, name, value);
    }
    const bool may_have_body = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
    if (may_have_body && !request.headers.find("Content-Length")) {
        append_field(out, "Content-Length", std::to_string(request.body.size()));
    }
    return out.append("\r\n").append(request.body);
}

std::string write_response(const Response& response, bool keep_alive, bool answers_head) {
    const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(response.status));
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
    out.append(reason.data(), reason.size()).append("\r\n");
    for (const auto& [name, value] : response.headers) {
        if (equal_without_case(name, "Content-Length") || equal_without_case(name, "Connection")) continue;
        append_field(out, name, value);
    }
    if (!keep_alive) append_field(out, "Connection", "close");
    if (!has_no_body(response.status)) append_field(out, "Content-Length", std::to_string(response.body.size()));
    out.append("\r\n");
    if (!answers_head && !has_no_body(response.status)) out.append(response.body);
    return out;
}

}  // namespace cvp::http
