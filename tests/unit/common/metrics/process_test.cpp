#include "common/metrics/process.hpp"

#include <chrono>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace cvp::metrics {
namespace {

/// The value of a metric without labels in a rendered page.
double value_of(std::string_view name) {
    Page page;
    add_process_metrics(page);
    std::istringstream lines(page.render());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(std::string(name) + " ")) return std::stod(line.substr(name.size() + 1));
    }
    return -1;
}

TEST(ProcessStat, reads_the_fields_behind_any_process_name) {
    const auto stat = parse_process_stat(
        "4711 (a) R (b c) S 1 2 3 4 5 6 7 8 9 10 150 25 16 17 20 0 1 0 987654 10485760 2560 18446744073709551615 1\n");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->cpu_ticks, 175U);
    EXPECT_EQ(stat->start_ticks, 987654U);
    EXPECT_EQ(stat->virtual_bytes, 10485760U);
    EXPECT_EQ(stat->resident_pages, 2560U);
}

TEST(ProcessStat, takes_nothing_from_a_line_it_does_not_know) {
    for (const char* line : {"", "1 (a", "1 (a) S 1 2 3", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x y 16 17 20 0 1 0 1 1 1"}) {
        EXPECT_FALSE(parse_process_stat(line)) << line;
    }
}

TEST(ProcessMetrics, are_those_of_this_process) {
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    EXPECT_GT(value_of("process_resident_memory_bytes"), 1e6);
    EXPECT_GE(value_of("process_virtual_memory_bytes"), value_of("process_resident_memory_bytes"));
    EXPECT_GE(value_of("process_cpu_seconds_total"), 0);
    EXPECT_NEAR(value_of("process_start_time_seconds"), now, 600);
    EXPECT_GT(value_of("process_max_fds"), 2);
}

TEST(ProcessMetrics, count_open_descriptors) {
    const auto before = value_of("process_open_fds");
    const int fd = ::open("/dev/null", O_RDONLY);
    EXPECT_EQ(value_of("process_open_fds"), before + 1);
    ::close(fd);
    EXPECT_EQ(value_of("process_open_fds"), before);
}

}  // namespace
}  // namespace cvp::metrics
