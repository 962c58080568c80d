#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace cvp {

/// What the system says of a file without reading it. Equal stamps mean the same content, unless it was changed twice
/// within a tick of the file system's clock (some milliseconds).
struct FileStamp {
    bool exists = false;  ///< false too where it cannot be looked at
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;  ///< of content, name or rights

    bool operator==(const FileStamp&) const = default;
};

/// Of each file, links followed. Blocking, some microseconds each.
std::vector<FileStamp> stamp_files(const std::vector<std::filesystem::path>& files);

}  // namespace cvp
