#include "common/crypto/base64.hpp"

#include <cstdint>

namespace cvp::crypto {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes, std::string_view alphabet, bool padded) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const auto group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            if (i <= group.size()) {
                out.push_back(alphabet[bits >> (18 - 6 * i) & 0x3F]);
            } else if (padded) {
                out.push_back('=');
            }
        }
    }
    return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
    return encode(bytes, kStandard, true);
}

std::string base64url_encode(std::string_view bytes) {
    return encode(bytes, kUrlSafe, false);
}

Result<std::string> base64_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    int digits = 0;
    int padding = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\n' || c == '\r') continue;
        const auto value = kStandard.find(c);
        const bool is_padding = c == '=' && digits + padding >= 2 && digits + padding < 4;
        if (!is_padding && (value == std::string_view::npos || padding > 0)) {
            return fail(ErrorCode::invalid_argument, "not base64: bad character at offset " + std::to_string(at));
        }
        if (is_padding) {
            ++padding;
            continue;
        }
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (++digits < 4) continue;
        for (const int shift : {16, 8, 0})
            out.push_back(static_cast<char>(bits >> shift & 0xFF));
        digits = 0;
        bits = 0;
    }
    if (digits + padding != 0 && digits + padding != 4) {
        return fail(ErrorCode::invalid_argument, "not base64: the length is not a multiple of 4");
    }
    if (digits == 2) out.push_back(static_cast<char>(bits >> 4 & 0xFF));
    if (digits == 3) {
        out.push_back(static_cast<char>(bits >> 10 & 0xFF));
        out.push_back(static_cast<char>(bits >> 2 & 0xFF));
    }
    return out;
}

}  // namespace cvp::crypto
