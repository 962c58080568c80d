#include "tests/support/canary.hpp"

#include <gtest/gtest.h>

#include "common/crypto/base64.hpp"
#include "common/http/message.hpp"

namespace cvp::test {
namespace {

// Characters that percent-encoding changes are among them.
const std::string kSecret = "ya29.c.k9/Qz+3xW=7Lr0vT5uHs2JdYb8NfGm4EiCpAoXq1Z~t6Kc_RwBnDgSjUlMhPyVeFaIO";

TEST(Canary, is_found_in_every_form_and_at_every_alignment) {
    EXPECT_EQ(find_leak("AUTH " + kSecret, kSecret), "raw");
    for (const auto* prefix : {"", "a", "ab", "abc", "user:"}) {
        const auto wrapped = prefix + kSecret + "@host";
        EXPECT_EQ(find_leak("x " + crypto::base64_encode(wrapped), kSecret), "base64") << prefix;
        EXPECT_EQ(find_leak("x " + crypto::base64url_encode(wrapped), kSecret), "base64") << prefix;
    }
    EXPECT_TRUE(find_leak("?token=" + http::percent_encode(kSecret), kSecret));
}

TEST(Canary, is_found_where_percent_encoding_leaves_no_raw_part) {
    const std::string reserved = "/+/=/+/=/+/=/+/=/+/=/+/=/+/=/+/=";
    EXPECT_EQ(find_leak(http::percent_encode(reserved), reserved), "percent-encoded");
}

TEST(Canary, is_found_when_a_line_was_cut) {
    EXPECT_EQ(find_leak("token: " + kSecret.substr(9, 32) + "…", kSecret), "raw");
    EXPECT_EQ(find_leak(crypto::base64_encode("secret " + kSecret).substr(0, 70), kSecret), "base64");
}

TEST(Canary, is_not_found_where_it_is_not) {
    EXPECT_FALSE(find_leak("", kSecret));
    EXPECT_FALSE(find_leak("token ya29.c.k9/Qz (redacted)", kSecret));
    EXPECT_FALSE(find_leak(crypto::base64_encode("something else altogether, of some length"), kSecret));
}

TEST(Canary, a_leak_is_reported_by_name_and_never_quoted) {
    const auto leaks =
        find_leaks({{"log", "fine"}, {"/status", kSecret}}, {"some-other-secret-of-32-characters", kSecret});
    ASSERT_EQ(leaks.size(), 1U);
    EXPECT_EQ(leaks[0], "/status shows secret 2 of 2, raw");
}

}  // namespace
}  // namespace cvp::test
