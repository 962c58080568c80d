#include "common/crypto/digest.hpp"

#include <fmt/core.h>
#include <openssl/sha.h>

namespace cvp::crypto {

std::string sha256_hex(std::string_view bytes) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
    std::string text;
    for (const auto byte : digest)
        text += fmt::format("{:02x}", byte);
    return text;
}

}  // namespace cvp::crypto
