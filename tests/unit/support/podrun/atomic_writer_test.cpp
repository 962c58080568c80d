#include "tests/support/podrun/atomic_writer.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace cvp::test::podrun {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
        names.insert(entry.path().filename());
    return names;
}

TEST(UpdatePlan, adds_and_removes_links_by_the_first_part_of_the_path) {
    const Payload before = {{"a", {"1"}}, {"gone", {"x"}}};
    const Payload after = {{"a", {"2"}}, {"deep/b", {"3"}}, {"deep/c", {"4"}}};
    EXPECT_EQ(plan_update(before, after), (UpdatePlan{true, {"deep"}, {"gone"}}));
    EXPECT_EQ(plan_update(after, after), (UpdatePlan{false, {}, {}}));
    EXPECT_TRUE(plan_update({{"a", {"1", 0644}}}, {{"a", {"1", 0400}}}).is_needed) << "the mode counts";
}

TEST(AtomicWriter, names_versions_as_the_kubelet_does) {
    const auto time = std::chrono::system_clock::from_time_t(1795176000);
    EXPECT_EQ(version_prefix(time), "..2026_11_20_12_00_00.");
}

TEST(AtomicWriter, puts_files_behind_two_symlinks) {
    TempDir dir;
    ASSERT_TRUE(write_atomically(dir.path(), {}, {{"connection.yaml", {"doc"}}, {"deep/b", {"3", 0400}}}));
    EXPECT_EQ(read(dir.path() / "connection.yaml"), "doc");
    EXPECT_EQ(fs::read_symlink(dir.path() / "connection.yaml"), "..data/connection.yaml");
    EXPECT_EQ(fs::read_symlink(dir.path() / "deep"), "..data/deep");
    const auto version = fs::read_symlink(dir.path() / "..data").string();
    EXPECT_TRUE(version.starts_with("..20")) << version;
    EXPECT_EQ(names_in(dir.path()), (std::set<std::string>{"..data", version, "connection.yaml", "deep"}));
    EXPECT_EQ(fs::status(dir.path() / "deep/b").permissions(), static_cast<fs::perms>(0400));
    EXPECT_EQ(fs::status(dir.path() / "..data/").permissions(), static_cast<fs::perms>(0755)) << "another user reads";
}

TEST(AtomicWriter, swaps_the_version_and_removes_the_old_one) {
    TempDir dir;
    const Payload first = {{"a", {"1"}}, {"gone", {"x"}}};
    const Payload second = {{"a", {"2"}}, {"new", {"y"}}};
    ASSERT_TRUE(write_atomically(dir.path(), {}, first));
    const auto old_version = fs::read_symlink(dir.path() / "..data");
    ASSERT_TRUE(write_atomically(dir.path(), first, second));
    const auto new_version = fs::read_symlink(dir.path() / "..data");
    EXPECT_NE(old_version, new_version);
    EXPECT_EQ(read(dir.path() / "a"), "2");
    EXPECT_EQ(names_in(dir.path()), (std::set<std::string>{"..data", new_version.string(), "a", "new"}));
}

TEST(AtomicWriter, touches_nothing_where_nothing_differs) {
    TempDir dir;
    const Payload payload = {{"a", {"1"}}};
    ASSERT_TRUE(write_atomically(dir.path(), {}, payload));
    const auto version = fs::read_symlink(dir.path() / "..data");
    ASSERT_TRUE(write_atomically(dir.path(), payload, payload));
    EXPECT_EQ(fs::read_symlink(dir.path() / "..data"), version);
}

TEST(AtomicWriter, makes_a_version_of_an_empty_volume_too) {
    TempDir dir;
    ASSERT_TRUE(write_atomically(dir.path(), {}, {}));
    EXPECT_TRUE(fs::is_symlink(dir.path() / "..data"));
}

TEST(AtomicWriter, says_what_failed) {
    const auto written = write_atomically("/no/such/directory", {}, {{"a", {"1"}}});
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().context.find("/no/such/directory"), std::string::npos);
}

}  // namespace
}  // namespace cvp::test::podrun
