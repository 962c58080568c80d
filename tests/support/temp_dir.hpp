#pragma once

#include <filesystem>
#include <string_view>

namespace cvp::test {

/// A directory of its own under $TMPDIR (or /tmp), removed with all its contents when the object ends.
class TempDir {
public:
    explicit TempDir(std::string_view prefix = "cvp-test");
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    const std::filesystem::path& path() const { return path_; }

    /// Writes `content` to `name` inside the directory (parents are made) and returns its full path.
    std::filesystem::path write(const std::filesystem::path& name, std::string_view content) const;

private:
    std::filesystem::path path_;
};

}  // namespace cvp::test
