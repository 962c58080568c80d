#include "tests/support/http_call.hpp"

#include <charconv>

#include "tests/support/byte_stream.hpp"

namespace cvp::test {
namespace {

std::string encode(const std::string& host, const http::Request& request) {
    std::string text =
        request.method + " " + request.target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n";
    for (const auto& [name, value] : request.headers)
        text += name + ": " + value + "\r\n";
    if (!request.body.empty()) text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n" + request.body;
}

/// Everything up to the end of the stream.
Result<std::string> read_all(ByteStream& stream, std::chrono::milliseconds limit) {
    std::string text;
    for (;;) {
        auto piece = stream.read_some(limit);
        if (!piece) return piece;
        if (piece->empty()) return text;
        text += *piece;
    }
}

Result<http::Response> decode(const std::string& text) {
    const auto head_end = text.find("\r\n\r\n");
    const auto odd = [&] { return fail(ErrorCode::protocol_error, "not an HTTP answer: " + text.substr(0, 100)); };
    if (!text.starts_with("HTTP/1.") || text.size() < 12 || head_end == std::string::npos) return odd();
    http::Response response;
    if (std::from_chars(text.data() + 9, text.data() + 12, response.status).ec != std::errc()) return odd();
    for (auto line = text.find("\r\n") + 2; line < head_end + 2;) {
        const auto end = text.find("\r\n", line);
        const auto colon = text.find(": ", line);
        if (colon < end) response.headers.set(text.substr(line, colon - line), text.substr(colon + 2, end - colon - 2));
        line = end + 2;
    }
    response.body = text.substr(head_end + 4);
    if (const auto length = response.headers.find("Content-Length"))
        if (*length != std::to_string(response.body.size())) return odd();
    return response;
}

}  // namespace

Result<http::Response> http_call(const std::string& host, std::uint16_t port, const http::Request& request,
                                 std::chrono::milliseconds limit) {
    auto stream = ByteStream::connect_tcp(host, port, limit);
    if (!stream) return fail(std::move(stream).error());
    if (auto sent = stream->write_all(encode(host, request), limit); !sent) return fail(std::move(sent).error());
    const auto text = read_all(*stream, limit);
    if (!text) return fail(text.error());
    return decode(*text);
}

Result<http::Response> http_get(const std::string& host, std::uint16_t port, const std::string& target,
                                std::chrono::milliseconds limit) {
    http::Request request;
    request.target = target;
    return http_call(host, port, request, limit);
}

}  // namespace cvp::test
