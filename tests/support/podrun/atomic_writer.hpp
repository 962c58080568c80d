#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "common/error.hpp"
#include "common/result.hpp"
#include "tests/support/podrun/projection.hpp"

namespace cvp::test::podrun {

/// What has to happen to a volume's directory.
struct UpdatePlan {
    bool is_needed = false;             ///< the content differs
    std::set<std::string> new_links;    ///< names at the top that get a symlink to ..data/NAME
    std::set<std::string> stale_links;  ///< names at the top that go

    bool operator==(const UpdatePlan&) const = default;
};

/// Compares what the directory holds with what it shall hold.
UpdatePlan plan_update(const Payload& before, const Payload& after);

/// "..2026_11_20_12_00_00.": the beginning of a version's directory name, UTC.
std::string version_prefix(std::chrono::system_clock::time_point now);

/// Brings a volume's directory to `after` as the kubelet does: everything into a new ..2026_… directory, then one
/// rename of the symlink ..data, so that a reader sees the old files or the new ones and never a mixture. Nothing is
/// touched where nothing differs.
/// @source pkg/volume/util/atomic_writer.go
/// @errors internal, naming what failed
Result<void> write_atomically(const std::filesystem::path& directory, const Payload& before, const Payload& after);

}  // namespace cvp::test::podrun
