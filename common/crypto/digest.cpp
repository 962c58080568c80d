#include "common/crypto/digest.hpp"

#include <array>

#include <openssl/sha.h>

namespace cvp::crypto {

namespace {

template <std::size_t size>
std::string digits_of(const std::array<unsigned char, size>& digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * size);
    for (const auto byte : digest) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

const unsigned char* data_of(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(data_of(bytes), bytes.size(), digest.data());
    return digits_of(digest);
}

std::string sha1_hex(std::string_view bytes) {
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    ::SHA1(data_of(bytes), bytes.size(), digest.data());
    return digits_of(digest);
}

}  // namespace cvp::crypto
