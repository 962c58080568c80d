#include "tests/support/resp_client.hpp"

#include <charconv>

namespace cvp::test {
namespace {

Result<long long> parse_count(std::string_view text) {
    long long number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size())
        return fail(ErrorCode::protocol_error, "not a number: " + std::string(text));
    return number;
}

Result<RespClient> over(Result<ByteStream> stream) {
    if (!stream) return fail(std::move(stream).error());
    return RespClient(std::move(*stream));
}

}  // namespace

std::string to_string(const RespReply& reply) {
    if (reply.is_null) return "(null)";
    switch (reply.type) {
        case '-':
        case '!':
            return "-" + reply.text;
        case '+':
            return "+" + reply.text;
        case '$':
        case '=':
            return '"' + reply.text + '"';
        case '*':
        case '~':
        case '>':
        case '%': {
            std::string text = "[";
            for (const auto& element : reply.elements) {
                if (text.size() > 1) text += ", ";
                text += to_string(element);
            }
            return text + "]";
        }
        default:
            return reply.text;
    }
}

std::string encode_command(const std::vector<std::string>& words) {
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const auto& word : words)
        bytes.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
    return bytes;
}

Result<RespClient> RespClient::connect(const std::string& host, std::uint16_t port, Limit limit) {
    return over(ByteStream::connect_tcp(host, port, limit));
}

Result<RespClient> RespClient::connect_tls(const std::string& host, std::uint16_t port,
                                           const TlsClientSettings& settings, Limit limit) {
    auto stream = ByteStream::connect_tcp(host, port, limit);
    if (!stream) return fail(std::move(stream).error());
    if (auto ready = stream->start_tls(settings, limit); !ready) return fail(std::move(ready).error());
    return RespClient(std::move(*stream));
}

Result<RespClient> RespClient::connect_unix(const std::filesystem::path& path, Limit limit) {
    return over(ByteStream::connect_unix(path, limit));
}

Result<RespReply> RespClient::command(const std::vector<std::string>& words, Limit limit) {
    if (auto sent = send(encode_command(words), limit); !sent) return fail(std::move(sent).error());
    return read_reply(limit);
}

Result<void> RespClient::read_more(Limit limit) {
    if (position_ == buffer_.size()) {
        buffer_.clear();
        position_ = 0;
    }
    auto piece = stream_.read_some(limit);
    if (!piece) return fail(std::move(piece).error());
    if (piece->empty()) return fail(ErrorCode::unavailable, "the stream ended");
    buffer_ += *piece;
    return {};
}

Result<std::string> RespClient::read_line(Limit limit) {
    for (;;) {
        if (const auto end = buffer_.find("\r\n", position_); end != std::string::npos) {
            auto line = buffer_.substr(position_, end - position_);
            position_ = end + 2;
            return line;
        }
        if (auto more = read_more(limit); !more) return fail(std::move(more).error());
    }
}

Result<std::string> RespClient::read_bulk(std::size_t size, Limit limit) {
    while (buffer_.size() - position_ < size + 2)
        if (auto more = read_more(limit); !more) return fail(std::move(more).error());
    auto bulk = buffer_.substr(position_, size);
    if (buffer_.compare(position_ + size, 2, "\r\n") != 0)
        return fail(ErrorCode::protocol_error, "a bulk string does not end where it says");
    position_ += size + 2;
    return bulk;
}

Result<RespReply> RespClient::read_reply(Limit limit) {
    auto line = read_line(limit);
    if (!line) return fail(std::move(line).error());
    if (line->empty()) return fail(ErrorCode::protocol_error, "an empty line instead of a reply");
    RespReply reply;
    reply.type = line->front();
    reply.text = line->substr(1);
    switch (reply.type) {
        case '+':
        case '-':
        case ':':
        case ',':
        case '#':
        case '(':
            return reply;
        case '_':
            reply.is_null = true;
            return reply;
        case '$':
        case '=':
        case '!': {
            const auto size = parse_count(reply.text);
            if (!size) return fail(size.error());
            reply.text.clear();
            if (*size < 0) {
                reply.is_null = true;
                return reply;
            }
            auto bulk = read_bulk(static_cast<std::size_t>(*size), limit);
            if (!bulk) return fail(std::move(bulk).error());
            reply.text = std::move(*bulk);
            return reply;
        }
        case '*':
        case '~':
        case '>':
        case '%': {
            const auto count = parse_count(reply.text);
            if (!count) return fail(count.error());
            reply.text.clear();
            reply.is_null = *count < 0;
            for (auto left = reply.type == '%' ? *count * 2 : *count; left > 0; --left) {
                auto element = read_reply(limit);
                if (!element) return element;
                reply.elements.push_back(std::move(*element));
            }
            return reply;
        }
        default:
            return fail(ErrorCode::protocol_error, "no RESP type: " + *line);
    }
}

Result<std::string> RespClient::read_to_end(Limit limit) {
    auto bytes = buffer_.substr(position_);
    buffer_.clear();
    position_ = 0;
    for (;;) {
        auto piece = stream_.read_some(limit);
        if (!piece) return piece;
        if (piece->empty()) return bytes;
        bytes += *piece;
    }
}

}  // namespace cvp::test
