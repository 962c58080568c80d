#include "common/config/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace cvp {
namespace {

TEST(LoadFile, reads_all_of_it_also_when_empty) {
    const test::TempDir dir;
    const std::string content(100'000, 'x');
    EXPECT_EQ(load_file(dir.write("a", content)), content);
    EXPECT_EQ(load_file(dir.write("b", "")), "");
}

TEST(LoadFile, says_which_file_and_why_not) {
    const test::TempDir dir;
    const auto missing = load_file(dir.path() / "a");
    EXPECT_EQ(missing.error(),
              (Error{ErrorCode::not_found, (dir.path() / "a").string() + ": No such file or directory"}));
    EXPECT_EQ(load_file(dir.path()).error().context, dir.path().string() + ": Not a regular file");
    EXPECT_EQ(load_file(dir.write("b", "four"), 3).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(load_file(dir.path() / "b" / "c").error().code, ErrorCode::not_found);
}

TEST(LoadFile, is_not_held_up_by_a_fifo) {
    const test::TempDir dir;
    const auto path = dir.path() / "fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_FALSE(load_file(path));
}

}  // namespace
}  // namespace cvp
