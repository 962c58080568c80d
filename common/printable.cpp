#include "common/printable.hpp"

namespace cvp {

std::string printable(std::string_view text, std::size_t max_bytes) {
    std::string out;
    for (const char c : text.substr(0, max_bytes))
        out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
    if (text.size() > max_bytes) out += "…";
    return out;
}

std::string in_quotes(std::string_view text, std::size_t max_bytes) {
    return "\"" + printable(text, max_bytes) + "\"";
}

std::string_view whole_characters(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    auto end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return text.substr(0, end);
}

}  // namespace cvp
