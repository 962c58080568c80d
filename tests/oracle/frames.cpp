#include "tests/oracle/frames.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace cvp::oracle {

bool is_bulk(char type) {
    return type == '$' || type == '=' || type == '!';
}

bool is_aggregate(char type) {
    return type == '*' || type == '%' || type == '~' || type == '>' || type == '|';
}

std::size_t elements_of(char type, long long count) {
    if (count <= 0) return 0;
    const auto n = static_cast<std::size_t>(count);
    return type == '%' || type == '|' ? 2 * n : n;
}

long long number_of(std::string_view text) {
    long long value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Header header_at(std::string_view frame, std::size_t at) {
    const auto end = frame.find("\r\n", at);
    return {frame[at], frame.substr(at + 1, end - at - 1), end + 2};
}

std::size_t frame_end(std::string_view stream, std::size_t at, bool& broken) {
    std::size_t owed = 1;
    while (owed > 0) {
        if (at >= stream.size()) return std::string_view::npos;
        const auto line = stream.find("\r\n", at);
        const char type = stream[at];
        if (std::string_view("+-:$*_#,(!=%~>|").find(type) == std::string_view::npos) {
            broken = true;
            return std::string_view::npos;
        }
        if (line == std::string_view::npos) return std::string_view::npos;
        const auto text = stream.substr(at + 1, line - at - 1);
        at = line + 2;
        if (is_bulk(type)) {
            if (const auto size = number_of(text); size >= 0) at += static_cast<std::size_t>(size) + 2;
            if (at > stream.size()) return std::string_view::npos;
        } else if (is_aggregate(type)) {
            owed += elements_of(type, number_of(text));
        }
        if (type != '|') --owed;
    }
    return at;
}

Frames split_frames(std::string_view stream) {
    Frames frames;
    while (frames.rest < stream.size()) {
        const auto end = frame_end(stream, frames.rest, frames.is_broken);
        if (end == std::string_view::npos) break;
        frames.whole.push_back({frames.rest, end - frames.rest});
        frames.rest = end;
    }
    return frames;
}

std::string_view kind_of(std::string_view frame) {
    if (frame.empty() || (frame.front() != '*' && frame.front() != '>')) return {};
    const auto head = header_at(frame, 0);
    if (head.next >= frame.size() || frame[head.next] != '$') return {};
    const auto bulk = header_at(frame, head.next);
    const auto size = number_of(bulk.text);
    return size > 0 ? frame.substr(bulk.next, static_cast<std::size_t>(size)) : std::string_view();
}

bool is_monitor_line(std::string_view frame) {
    // +1700000000.123456 [0 127.0.0.1:1234] "PING"
    return frame.size() > 20 && frame[0] == '+' && frame[11] == '.' && frame[18] == ' ' && frame[19] == '[';
}

bool is_out_of_band(std::string_view frame) {
    if (frame.empty()) return false;
    if (frame.front() == '+') return is_monitor_line(frame);
    const auto kind = kind_of(frame);
    if (frame.front() == '*') return kind == "message" || kind == "pmessage" || kind == "smessage";
    return frame.front() == '>' && !kind.ends_with("subscribe");
}

std::string escape(std::string_view bytes, std::size_t limit) {
    std::string text;
    for (const char c : bytes.substr(0, limit)) {
        if (c == '\r') {
            text += "\\r";
        } else if (c == '\n') {
            text += "\\n";
        } else if (c == '\\') {
            text += "\\\\";
        } else if (c >= ' ' && c < 127) {
            text += c;
        } else {
            std::array<char, 5> hex{};
            std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned char>(c));
            text += hex.data();
        }
    }
    if (bytes.size() > limit) text += "… (" + std::to_string(bytes.size()) + " bytes)";
    return text;
}

}  // namespace cvp::oracle
