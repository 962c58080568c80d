#include "common/crypto/digest.hpp"

#include <gtest/gtest.h>

namespace cvp::test {
namespace {

TEST(Digest, sha256_of_the_standards_examples) {
    // FIPS 180-2, appendix B.1, and the empty message.
    EXPECT_EQ(crypto::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(crypto::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, sha1_of_the_standards_examples) {
    // FIPS 180-1, appendix A, and what a server calls this script.
    EXPECT_EQ(crypto::sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(crypto::sha1_hex("return 1"), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

}  // namespace
}  // namespace cvp::test
