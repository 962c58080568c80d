#include "tests/support/podrun/atomic_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <system_error>

namespace cvp::test::podrun {
namespace {

namespace fs = std::filesystem;

constexpr auto kData = "..data";
constexpr auto kNewData = "..data_tmp";

std::set<std::string> top_names(const Payload& payload) {
    std::set<std::string> names;
    for (const auto& [path, file] : payload)
        names.insert(path.substr(0, path.find('/')));
    return names;
}

fs::perms perms_of(unsigned mode) {
    return static_cast<fs::perms>(mode & 07777U);
}

/// Throws fs::filesystem_error or std::ios_base::failure.
void write_files(const fs::path& directory, const Payload& payload) {
    for (const auto& [path, file] : payload) {
        const auto target = directory / path;
        fs::create_directories(target.parent_path());
        std::ofstream out;
        out.exceptions(std::ios::failbit | std::ios::badbit);
        out.open(target, std::ios::binary);
        out << file.content;
        out.close();
        fs::permissions(target, perms_of(file.mode));
    }
}

}  // namespace

UpdatePlan plan_update(const Payload& before, const Payload& after) {
    UpdatePlan plan;
    plan.is_needed = before != after;
    const auto old_names = top_names(before);
    const auto new_names = top_names(after);
    std::set_difference(new_names.begin(), new_names.end(), old_names.begin(), old_names.end(),
                        std::inserter(plan.new_links, plan.new_links.end()));
    std::set_difference(old_names.begin(), old_names.end(), new_names.begin(), new_names.end(),
                        std::inserter(plan.stale_links, plan.stale_links.end()));
    return plan;
}

std::string version_prefix(std::chrono::system_clock::time_point now) {
    const auto seconds = std::chrono::system_clock::to_time_t(now);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof text, "..%Y_%m_%d_%H_%M_%S.", &utc)};
}

Result<void> write_atomically(const fs::path& directory, const Payload& before, const Payload& after) {
    const auto plan = plan_update(before, after);
    const bool is_first = !fs::is_symlink(directory / kData);
    if (!plan.is_needed && !is_first) return {};
    try {
        const auto old_version = is_first ? fs::path() : directory / fs::read_symlink(directory / kData);
        auto name = (directory / (version_prefix(std::chrono::system_clock::now()) + "XXXXXX")).string();
        if (::mkdtemp(name.data()) == nullptr) {
            return fail(ErrorCode::internal, "mkdtemp " + name + ": " + std::generic_category().message(errno));
        }
        const fs::path version = name;
        fs::permissions(version, perms_of(0755));
        write_files(version, after);
        fs::create_symlink(version.filename(), directory / kNewData);
        fs::rename(directory / kNewData, directory / kData);
        for (const auto& link : plan.new_links)
            fs::create_symlink(fs::path(kData) / link, directory / link);
        for (const auto& link : plan.stale_links)
            fs::remove(directory / link);
        if (!old_version.empty()) fs::remove_all(old_version);
    } catch (const std::exception& e) {
        return fail(ErrorCode::internal, "writing the volume " + directory.string() + ": " + e.what());
    }
    return {};
}

}  // namespace cvp::test::podrun
