#include "tests/support/podrun/pod_root.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cvp::test::podrun {
namespace {

namespace fs = std::filesystem;
using Step = RootStep;

/// The new root is built over this directory, in our namespace only; every Debian has it.
constexpr auto kBuildPlace = "/mnt";
constexpr auto kVolumes = "/.podrun";

bool is_below(const std::string& path, const std::string& directory) {
    return path.size() > directory.size() && path.starts_with(directory) &&
           (directory == "/" || path[directory.size()] == '/');
}

std::string child_of(const std::string& directory, const std::string& name) {
    return directory == "/" ? "/" + name : directory + "/" + name;
}

class Planner {
public:
    Planner(const std::vector<std::string>& directories, const std::vector<std::string>& files,
            const ListDirectory& list)
        : directories_(directories), files_(files), list_(list) {}

    std::vector<Step> plan() {
        take_apart("/");
        return std::move(steps_);
    }

private:
    bool has_place_below(const std::string& directory) const {
        const auto below = [&](const std::string& place) { return is_below(place, directory); };
        return std::any_of(directories_.begin(), directories_.end(), below) ||
               std::any_of(files_.begin(), files_.end(), below);
    }

    /// Binds each child of a directory of the host, and makes the places that are missing in it.
    void take_apart(const std::string& directory) {
        std::set<std::string> made;
        for (const auto& entry : list_(directory)) {
            const auto path = child_of(directory, entry.name);
            made.insert(path);
            switch (entry.kind) {
                case DirectoryEntry::Kind::link:
                    steps_.push_back({Step::Kind::link, path, entry.link_target});
                    break;
                case DirectoryEntry::Kind::file:
                    steps_.push_back({Step::Kind::make_file, path, {}});
                    steps_.push_back({Step::Kind::bind, path, path});
                    break;
                case DirectoryEntry::Kind::directory:
                    steps_.push_back({Step::Kind::make_directory, path, {}});
                    if (has_place_below(path)) {
                        take_apart(path);
                    } else {
                        steps_.push_back({Step::Kind::bind, path, path});
                    }
                    break;
            }
        }
        make_missing(directory, made);
    }

    void make_missing(const std::string& directory, std::set<std::string>& made) {
        for (const auto& place : directories_)
            make_way(directory, place, /*is_file=*/false, made);
        for (const auto& place : files_)
            make_way(directory, place, /*is_file=*/true, made);
    }

    /// Makes what is missing on the way from `directory`, whose children are in `made`, to a place below it.
    void make_way(const std::string& directory, const std::string& place, bool is_file, std::set<std::string>& made) {
        if (!is_below(place, directory)) return;
        const auto begin = directory == "/" ? 1 : directory.size() + 1;
        const auto first = place.substr(0, place.find('/', begin));
        if (made.contains(first) && !new_.contains(first)) return;  // it exists: its own turn comes or came
        for (auto end = place.find('/', begin);; end = place.find('/', end + 1)) {
            const auto path = place.substr(0, end);
            if (new_.insert(path).second) {
                made.insert(path);
                const auto kind =
                    is_file && end == std::string::npos ? Step::Kind::make_file : Step::Kind::make_directory;
                steps_.push_back({kind, path, {}});
            }
            if (end == std::string::npos) return;
        }
    }

    const std::vector<std::string>& directories_;
    const std::vector<std::string>& files_;
    const ListDirectory& list_;
    std::set<std::string> new_;
    std::vector<Step> steps_;
};

std::vector<DirectoryEntry> list_host(const std::string& directory) {
    std::vector<DirectoryEntry> entries;
    std::error_code ec;
    for (const auto& each : fs::directory_iterator(directory, ec)) {
        DirectoryEntry entry;
        entry.name = each.path().filename();
        if (each.is_symlink(ec)) {
            entry.kind = DirectoryEntry::Kind::link;
            entry.link_target = fs::read_symlink(each.path(), ec);
        } else if (each.is_directory(ec)) {
            entry.kind = DirectoryEntry::Kind::directory;
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

tl::unexpected<Error> failed(const std::string& what) {
    const int number = errno;
    if (number == EPERM) {
        return fail(ErrorCode::permission_denied,
                    what +
                        ": not permitted. podrun mounts the pod's volumes in a mount namespace of its own and needs "
                        "CAP_SYS_ADMIN for it: run it as root");
    }
    return fail(ErrorCode::internal, what + ": " + std::generic_category().message(number));
}

/// @param original what stood at kBuildPlace
Result<void> do_step(const Step& step, int original) {
    const auto path = kBuildPlace + step.path;
    switch (step.kind) {
        case Step::Kind::make_directory:
            if (::mkdir(path.c_str(), 0755) != 0) return failed("mkdir " + path);
            return {};
        case Step::Kind::make_file:
            if (::mknod(path.c_str(), S_IFREG | 0644, 0) != 0) return failed("mknod " + path);
            return {};
        case Step::Kind::link:
            if (::symlink(step.from.c_str(), path.c_str()) != 0) return failed("symlink " + path);
            return {};
        case Step::Kind::bind:
            if (step.from == kBuildPlace) {
                if (::move_mount(original, "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
                    return failed("moving " + step.from);
                }
                return {};
            }
            // A file that has gone since it was listed is not missed.
            if (::mount(step.from.c_str(), path.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0 && errno != ENOENT) {
                return failed("binding " + step.from);
            }
            return {};
    }
    return {};
}

}  // namespace

std::vector<Step> plan_root(const std::vector<std::string>& directories, const std::vector<std::string>& files,
                            const ListDirectory& list) {
    return Planner(directories, files, list).plan();
}

std::string resolved(const std::string& path) {
    return fs::weakly_canonical(path).string();
}

Result<void> enter_pod_root(const std::vector<std::string>& directories, const std::vector<std::string>& files) {
    const auto cwd = fs::current_path();
    if (::unshare(CLONE_NEWNS) != 0) return failed("unshare");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("making mounts private");
    const auto steps = plan_root(directories, files, &list_host);
    const int original = ::open_tree(AT_FDCWD, kBuildPlace, OPEN_TREE_CLONE | AT_RECURSIVE | OPEN_TREE_CLOEXEC);
    if (original < 0) return failed(std::string("open_tree ") + kBuildPlace);
    if (::mount("podrun", kBuildPlace, "tmpfs", 0, "mode=0755") != 0) return failed("mounting a tmpfs");
    for (const auto& step : steps) {
        auto done = do_step(step, original);
        if (!done) return fail(std::move(done).error());
    }
    ::close(original);
    const auto volumes = std::string(kBuildPlace) + kVolumes;
    if (::mkdir(volumes.c_str(), 0755) != 0) return failed("mkdir " + volumes);
    if (::chroot(kBuildPlace) != 0) return failed("chroot");
    if (::chdir(cwd.c_str()) != 0 && ::chdir("/") != 0) return failed("chdir");
    return {};
}

Result<fs::path> make_volume(const std::string& name, bool is_writable) {
    const auto path = fs::path(kVolumes) / name;
    if (::mkdir(path.c_str(), 0755) != 0) return failed("mkdir " + path.string());
    if (is_writable && ::chmod(path.c_str(), 0777) != 0) return failed("chmod " + path.string());
    return path;
}

Result<void> mount_at(const fs::path& from, const std::string& place, bool is_read_only) {
    if (::mount(from.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0) return failed("mounting " + place);
    if (!is_read_only) return {};
    if (::mount(nullptr, place.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
        return failed("making " + place + " read-only");
    }
    return {};
}

}  // namespace cvp::test::podrun
