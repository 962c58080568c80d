#include "common/yaml/writer.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace cvp::yaml {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Words that YAML 1.1 or 1.2 parsers take for a boolean or nothing.
bool is_reserved(std::string_view text) {
    constexpr std::array<std::string_view, 8> kReserved{"true", "false", "yes", "no", "on", "off", "null", "y"};
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return lower == "n" || std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end();
}

bool is_plain(std::string_view text) {
    if (text.empty() || !is_letter(text.front()) || is_reserved(text)) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
    });
}

/// Several lines of printable ASCII, each beginning with something visible: survives as a literal block unchanged.
bool fits_literal(std::string_view text) {
    if (text.size() < 2 || text.back() != '\n' || text.find('\n') == text.size() - 1) return false;
    char previous = '\n';
    for (const char c : text) {
        if (c != '\n' && (c < 0x20 || c > 0x7e)) return false;
        if (previous == '\n' && (c == ' ' || c == '\n')) return false;
        if (previous == ' ' && c == '\n') return false;
        previous = c;
    }
    return true;
}

std::string double_quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out.push_back(c);
        }
    }
    return out + "\"";
}

std::string scalar(std::string_view text) {
    return is_plain(text) ? std::string(text) : double_quoted(text);
}

}  // namespace

void Writer::begin_line() {
    const int spaces = 2 * depth_ - (at_item_ ? 2 : 0);
    out_.append(static_cast<std::size_t>(spaces), ' ');
    if (at_item_) out_ += "- ";
    at_item_ = false;
}

void Writer::field(std::string_view key, std::string_view value) {
    begin_line();
    out_.append(key).append(": ");
    if (!fits_literal(value)) {
        out_.append(scalar(value)).append("\n");
        return;
    }
    out_ += "|\n";
    while (!value.empty()) {
        const auto line = value.substr(0, value.find('\n') + 1);
        out_.append(static_cast<std::size_t>(2 * depth_ + 2), ' ').append(line);
        value.remove_prefix(line.size());
    }
}

void Writer::field(std::string_view key, std::int64_t value) {
    begin_line();
    out_ += fmt::format("{}: {}\n", key, value);
}

void Writer::field(std::string_view key, const std::vector<std::string>& values) {
    begin_line();
    out_.append(key).append(values.empty() ? ": []\n" : ":\n");
    for (const auto& value : values) {
        out_.append(static_cast<std::size_t>(2 * depth_ + 2), ' ').append("- ").append(scalar(value)).append("\n");
    }
}

void Writer::begin_map(std::string_view key) {
    begin_line();
    out_.append(key).append(":\n");
    ++depth_;
}

void Writer::begin_list(std::string_view key) {
    begin_map(key);
}

void Writer::begin_item() {
    ++depth_;
    at_item_ = true;
}

void Writer::end() {
    --depth_;
}

}  // namespace cvp::yaml
