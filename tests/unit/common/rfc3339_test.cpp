#include "common/rfc3339.hpp"

#include <gtest/gtest.h>

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, is_written_and_read_back) {
    EXPECT_EQ(format_rfc3339(Seconds(1'795'176'000s)), "2026-11-20T12:00:00Z");
    for (const auto time : {0s, 1'795'176'059s, 951'782'400s, 4'102'444'799s}) {
        EXPECT_EQ(parse_rfc3339(format_rfc3339(Seconds(time))), Seconds(time));
    }
    EXPECT_EQ(format_rfc3339(std::chrono::system_clock::time_point(1999ms)), "1970-01-01T00:00:01Z");
}

TEST(Rfc3339, a_fraction_is_cut_off) {
    EXPECT_EQ(parse_rfc3339("2026-09-21T17:39:12.018803673Z"), parse_rfc3339("2026-09-21T17:39:12Z"));
}

TEST(Rfc3339, refuses_what_is_no_utc_time) {
    for (const auto* text :
         {"", "Z", "2026-11-20", "2026-11-20T12:00:00", "2026-11-20T12:00:00+01:00", "2026-13-20T12:00:00Z",
          "2026-02-29T12:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T12:60:00Z", "2026-11-20T12:00:60Z",
          "2026-11-20 12:00:00Z", "2026-11-20T12:00:00.Z", "2026-11-20T12:00:00.1aZ", "+026-11-20T12:00:00Z"}) {
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
    }
}

TEST(Rfc3339, writes_microseconds) {
    const auto time = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    EXPECT_EQ(format_rfc3339_micro(time), "2023-11-14T22:13:20.000000Z");
    EXPECT_EQ(format_rfc3339_micro(time + std::chrono::microseconds(12'345)), "2023-11-14T22:13:20.012345Z");
}

}  // namespace
}  // namespace cvp::test
