#include "common/crypto/base64.hpp"

#include <gtest/gtest.h>

namespace cvp::crypto {
namespace {

TEST(Base64, agrees_with_rfc_4648_both_ways) {
    // RFC 4648 section 10
    const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded), plain) << encoded;
    }
}

TEST(Base64, keeps_every_byte_value) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes.push_back(static_cast<char>(i));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
}

TEST(Base64, the_url_form_uses_its_own_alphabet_and_no_padding) {
    EXPECT_EQ(base64_encode("\xfb\xff\xfe?"), "+//+Pw==");
    EXPECT_EQ(base64url_encode("\xfb\xff\xfe?"), "-__-Pw");
}

TEST(Base64, skips_line_breaks) {
    EXPECT_EQ(base64_decode("Zm9v\r\nYmFy\n"), "foobar");
}

TEST(Base64, refuses_what_is_not_base64) {
    for (const char* bad : {"Zg=", "Zg", "Z", "Z===", "====", "=", "Zg==Zg==", "Zm9v=", "Zm-_", "Zm 9v", "Zg=x"}) {
        EXPECT_FALSE(base64_decode(bad)) << bad;
    }
    EXPECT_EQ(base64_decode("Zm9v!").error().context, "not base64: bad character at offset 4");
}

}  // namespace
}  // namespace cvp::crypto
