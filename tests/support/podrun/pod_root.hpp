#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace cvp::test::podrun {

/// One step of building a root directory, in order.
struct RootStep {
    enum class Kind {
        make_directory,  ///< `path`, new
        make_file,       ///< `path`, new and empty: a place to mount a file on
        link,            ///< `path`, a symlink to `from`
        bind,            ///< `from` and everything mounted below it appears at `path`
    };
    Kind kind = Kind::make_directory;
    std::string path;  ///< inside the new root, absolute
    std::string from;

    bool operator==(const RootStep&) const = default;
};

/// What stands in a directory of the host.
struct DirectoryEntry {
    enum class Kind { directory, file, link };
    std::string name;
    Kind kind = Kind::file;
    std::string link_target;
};
using ListDirectory = std::function<std::vector<DirectoryEntry>(const std::string& directory)>;

/// Plans a root that looks like the host's but has more places to mount on: `directories` and `files`, absolute and
/// free of symlinks. Only directories on the way to a place that does not exist are taken apart; everything else is
/// bound as a whole. Nothing on the host is made or changed.
std::vector<RootStep> plan_root(const std::vector<std::string>& directories, const std::vector<std::string>& files,
                                const ListDirectory& list);

/// Where a path leads on this host when symlinks on the way are followed; parts that do not exist stay as they are.
std::string resolved(const std::string& path);

/// Enters a mount namespace and root of our own, in which these places exist, for this process and what it starts from
/// now on. They vanish with the last of them. Call it before any thread is started.
/// @errors permission_denied, saying what is needed, without CAP_SYS_ADMIN; internal
Result<void> enter_pod_root(const std::vector<std::string>& directories, const std::vector<std::string>& files);

/// Makes a directory for a volume, in memory, and returns its path.
/// @param is_writable by everybody, as the kubelet's emptyDir
Result<std::filesystem::path> make_volume(const std::string& name, bool is_writable);

/// Mounts a file or directory on a place that enter_pod_root() was told.
Result<void> mount_at(const std::filesystem::path& from, const std::string& place, bool is_read_only);

}  // namespace cvp::test::podrun
