#include "proxy/code_pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(CodePages, are_private_executable_file_mappings_and_nothing_else) {
    EXPECT_THAT(find_code_mappings("555555554000-555555560000 r--p 00000000 fe:00 42   /usr/bin/proxy\n"
                                   "555555560000-555555570000 r-xp 0000c000 fe:00 42   /usr/bin/proxy\n"
                                   "555555570000-555555571000 rw-p 0001c000 fe:00 42   /usr/bin/proxy\n"
                                   "555555571000-555555581000 rw-p 00000000 00:00 0    [heap]\n"
                                   "7f0000000000-7f0000001000 rwxp 00000000 fe:00 7    /usr/lib/odd.so\n"
                                   "7f0000001000-7f0000002000 r-xs 00000000 fe:00 7    /usr/lib/shared\n"
                                   "7f0000002000-7f0000003000 r-xp 00000000 00:00 0\n"
                                   "7ffff7fc1000-7ffff7fc3000 r-xp 00000000 00:00 0    [vdso]\n"
                                   "nonsense\n"
                                   "7f0000004000-7f0000005000 r-xp 00001000 fe:00 8    /usr/lib/a b.so"),
                ElementsAre(Pair(0x555555560000, 0x555555570000), Pair(0x7f0000004000, 0x7f0000005000)));
}

TEST(CodePages, come_back_when_they_are_needed) {
    release_code_pages();
    EXPECT_EQ(find_code_mappings("").size(), 0u);
}

}  // namespace
}  // namespace cvp::proxy
