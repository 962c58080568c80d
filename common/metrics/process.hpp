#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/metrics/page.hpp"

namespace cvp::metrics {

/// What the kernel says of a process, in the units of /proc.
struct ProcessStat {
    std::uint64_t cpu_ticks = 0;    ///< user and system
    std::uint64_t start_ticks = 0;  ///< since boot
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_pages = 0;
};

/// Parses the line of /proc/PID/stat. The process name may hold anything, brackets and spaces too.
/// @source proc(5)
std::optional<ProcessStat> parse_process_stat(std::string_view line);

/// Adds the metrics that Prometheus' client libraries give every process: process_cpu_seconds_total,
/// process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds, process_max_fds,
/// process_start_time_seconds. What cannot be read is left out.
void add_process_metrics(Page& page);

}  // namespace cvp::metrics
