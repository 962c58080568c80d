#include "common/metrics/process.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace cvp::metrics {
namespace {

constexpr Metric kCpu{"process_cpu_seconds_total", Kind::counter, "User and system CPU time spent in seconds."};
constexpr Metric kResident{"process_resident_memory_bytes", Kind::gauge, "Resident memory size in bytes."};
constexpr Metric kVirtual{"process_virtual_memory_bytes", Kind::gauge, "Virtual memory size in bytes."};
constexpr Metric kOpenFds{"process_open_fds", Kind::gauge, "Number of open file descriptors."};
constexpr Metric kMaxFds{"process_max_fds", Kind::gauge, "Maximum number of open file descriptors."};
constexpr Metric kStart{"process_start_time_seconds", Kind::gauge, "Start time since unix epoch in seconds."};

std::string read_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Seconds since 1970 at which the machine started; the line "btime N" of /proc/stat.
std::optional<double> boot_time() {
    std::ifstream file("/proc/stat");
    std::string word;
    double value = 0;
    while (file >> word) {
        if (word == "btime" && file >> value) return value;
        file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return std::nullopt;
}

std::optional<std::size_t> count_open_fds() {
    std::error_code ec;
    const std::filesystem::directory_iterator entries("/proc/self/fd", ec);
    if (ec) return std::nullopt;
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries))) - 1;  // one is the listing's own
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
    const auto name_end = line.rfind(')');
    if (name_end == std::string_view::npos) return std::nullopt;
    line.remove_prefix(name_end + 1);
    std::array<std::string_view, 25> fields;  // by proc(5)'s numbers; the first two are behind us
    for (std::size_t number = 3; number < fields.size(); ++number) {
        const auto begin = line.find_first_not_of(" \n");
        if (begin == std::string_view::npos) return std::nullopt;
        const auto end = std::min(line.find_first_of(" \n", begin), line.size());
        fields[number] = line.substr(begin, end - begin);
        line.remove_prefix(end);
    }
    bool is_good = true;
    const auto number = [&](std::size_t index) {
        std::uint64_t value = 0;
        const auto text = fields[index];
        is_good &= std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
        return value;
    };
    const ProcessStat stat{number(14) + number(15), number(22), number(23), number(24)};
    if (!is_good) return std::nullopt;
    return stat;
}

void add_process_metrics(Page& page) {
    const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    if (const auto stat = parse_process_stat(read_file("/proc/self/stat"))) {
        page.add(kCpu, {}, static_cast<double>(stat->cpu_ticks) / ticks_per_second);
        page.add(kResident, {}, static_cast<double>(stat->resident_pages) * static_cast<double>(::getpagesize()));
        page.add(kVirtual, {}, static_cast<double>(stat->virtual_bytes));
        if (const auto boot = boot_time()) {
            page.add(kStart, {}, *boot + static_cast<double>(stat->start_ticks) / ticks_per_second);
        }
    }
    if (const auto fds = count_open_fds()) page.add(kOpenFds, {}, static_cast<double>(*fds));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) page.add(kMaxFds, {}, static_cast<double>(limit.rlim_cur));
}

}  // namespace cvp::metrics
