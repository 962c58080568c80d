#include "common/config/duration.hpp"

#include <gtest/gtest.h>

namespace cvp {
namespace {

using namespace std::chrono_literals;

TEST(Duration, is_read_as_kubernetes_writes_it) {
    EXPECT_EQ(parse_duration("0s"), 0ms);
    EXPECT_EQ(parse_duration("1500ms"), 1500ms);
    EXPECT_EQ(parse_duration("10m"), 10min);
    EXPECT_EQ(parse_duration("1h30m"), 90min);
    EXPECT_EQ(parse_duration("1h2m3s4ms"), 1h + 2min + 3s + 4ms);
    EXPECT_EQ(parse_duration("10000h"), 10000h);
}

TEST(Duration, refuses_what_is_not_one) {
    for (const auto* text : {"", "10", "s", "-1s", "1.5h", "10 s", "1s1h", "1s1s", "10sec", "0x1s", "1m-1s", "99999h",
                             "99999999999999999999s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
    EXPECT_EQ(parse_duration("10").error().context, "must be a duration such as 10s, 1500ms or 1h30m");
}

TEST(Duration, is_written_so_that_it_reads_back) {
    for (const auto duration : {0ms, 1ms, 1500ms, 60000ms, 5400000ms, 3661001ms}) {
        EXPECT_EQ(parse_duration(format_duration(duration)), duration) << format_duration(duration);
    }
    EXPECT_EQ(format_duration(90min), "1h30m");
}

}  // namespace
}  // namespace cvp
