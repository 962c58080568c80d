#include "common/config/file_stamp.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace cvp {
namespace {

namespace fs = std::filesystem;

TEST(FileStamp, stays_the_same_while_the_file_does) {
    const test::TempDir dir;
    const auto file = dir.write("a", "one");
    EXPECT_EQ(stamp_files({file, dir.path() / "b"}), stamp_files({file, dir.path() / "b"}));
    EXPECT_TRUE(stamp_files({file})[0].exists);
    EXPECT_FALSE(stamp_files({dir.path() / "b"})[0].exists);
}

TEST(FileStamp, differs_when_the_content_does) {
    const test::TempDir dir;
    const auto file = dir.write("a", "one");
    const auto before = stamp_files({file});
    dir.write("a", "longer");
    EXPECT_NE(stamp_files({file}), before);
    fs::remove(file);
    EXPECT_NE(stamp_files({file}), before);
}

TEST(FileStamp, differs_when_a_file_of_the_same_size_and_time_takes_the_place) {
    const test::TempDir dir;
    const auto file = dir.write("a", "one");
    const auto other = dir.write("b", "two");
    fs::last_write_time(other, fs::last_write_time(file));
    const auto before = stamp_files({file});
    fs::rename(other, file);
    EXPECT_NE(stamp_files({file}), before);
}

TEST(FileStamp, is_of_what_a_link_leads_to) {
    const test::TempDir dir;
    dir.write("one", "1");
    dir.write("two", "2");
    fs::create_symlink("one", dir.path() / "link");
    const auto before = stamp_files({dir.path() / "link"});
    EXPECT_EQ(before, stamp_files({dir.path() / "one"}));
    fs::create_symlink("two", dir.path() / "next");
    fs::rename(dir.path() / "next", dir.path() / "link");
    EXPECT_NE(stamp_files({dir.path() / "link"}), before);
}

}  // namespace
}  // namespace cvp
