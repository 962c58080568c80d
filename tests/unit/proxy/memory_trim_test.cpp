#include "proxy/memory_trim.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kStart{1h};

TEST(MemoryTrim, is_due_ten_seconds_after_the_count_fell_by_half_and_once) {
    MemoryTrim trim;
    EXPECT_FALSE(trim.is_due(1000, kStart));
    EXPECT_FALSE(trim.is_due(500, kStart + 5s));
    EXPECT_FALSE(trim.is_due(500, kStart + 14s));
    EXPECT_TRUE(trim.is_due(500, kStart + 15s));
    EXPECT_FALSE(trim.is_due(500, kStart + 16s));
    EXPECT_FALSE(trim.is_due(500, kStart + 60s));
}

TEST(MemoryTrim, is_not_due_while_more_than_half_are_open) {
    MemoryTrim trim;
    EXPECT_FALSE(trim.is_due(1000, kStart));
    EXPECT_FALSE(trim.is_due(501, kStart + 1s));
    EXPECT_FALSE(trim.is_due(501, kStart + 60s));
}

TEST(MemoryTrim, waits_again_when_the_clients_came_back_meanwhile) {
    MemoryTrim trim;
    EXPECT_FALSE(trim.is_due(1000, kStart));
    EXPECT_FALSE(trim.is_due(0, kStart + 1s));
    EXPECT_FALSE(trim.is_due(900, kStart + 8s));
    EXPECT_FALSE(trim.is_due(0, kStart + 12s));
    EXPECT_FALSE(trim.is_due(0, kStart + 21s));
    EXPECT_TRUE(trim.is_due(0, kStart + 22s));
}

TEST(MemoryTrim, is_due_again_each_time_that_what_was_left_falls_by_half) {
    MemoryTrim trim;
    EXPECT_FALSE(trim.is_due(1000, kStart));
    EXPECT_FALSE(trim.is_due(400, kStart + 1s));
    EXPECT_TRUE(trim.is_due(400, kStart + 11s));
    EXPECT_FALSE(trim.is_due(300, kStart + 30s));
    EXPECT_FALSE(trim.is_due(200, kStart + 40s));
    EXPECT_TRUE(trim.is_due(190, kStart + 50s));
}

TEST(MemoryTrim, leaves_a_handful_of_sessions_alone) {
    MemoryTrim trim;
    EXPECT_FALSE(trim.is_due(MemoryTrim::kFewest - 1, kStart));
    EXPECT_FALSE(trim.is_due(0, kStart + 1s));
    EXPECT_FALSE(trim.is_due(0, kStart + 60s));
}

}  // namespace
}  // namespace cvp::proxy
