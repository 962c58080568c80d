#include "operator/runtime/event_filter.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using Kind = EventFilter::Verdict::Kind;

const EventText kText{true, "PermissionDenied", "Resolve", "no role"};
const EventText kOther{false, "Resolved", "Resolve", "found"};

class EventFilterTest : public testing::Test {
protected:
    EventFilter::Verdict judge(const EventText& text, const std::string& about = "uid") {
        return filter.judge(about, text, now);
    }

    EventFilter filter;
    SteadyClock::time_point now = SteadyClock::time_point() + 1000h;
};

TEST_F(EventFilterTest, the_same_again_is_counted_in_the_one_that_is_there) {
    EXPECT_EQ(judge(kText).kind, Kind::create);
    filter.stored("uid", kText, "sessions.1");
    EXPECT_EQ(judge(kOther).kind, Kind::create);
    EXPECT_EQ(judge(kText, "another uid").kind, Kind::create);
    now += 9min;
    const auto second = judge(kText);
    EXPECT_EQ(second.kind, Kind::count);
    EXPECT_EQ(second.name, "sessions.1");
    EXPECT_EQ(second.count, 2);
    now += 9min;
    EXPECT_EQ(judge(kText).count, 3) << "10 minutes from the last one";
    now += 11min;
    EXPECT_EQ(judge(kText).kind, Kind::create);
}

TEST_F(EventFilterTest, one_that_was_never_stored_is_created_again) {
    EXPECT_EQ(judge(kText).kind, Kind::create);
    EXPECT_EQ(judge(kText).kind, Kind::create);
}

TEST_F(EventFilterTest, about_one_object_25_at_once_and_one_in_5_minutes) {
    for (int i = 0; i < 25; ++i)
        EXPECT_NE(judge(i % 2 == 0 ? kText : kOther).kind, Kind::drop) << i;
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(judge(kText).kind, Kind::drop);
    EXPECT_EQ(judge(kText, "another uid").kind, Kind::create);
    now += 5min;
    EXPECT_NE(judge(kText).kind, Kind::drop) << "what was dropped cost nothing";
    EXPECT_EQ(judge(kText).kind, Kind::drop);
}

TEST_F(EventFilterTest, objects_are_forgotten) {
    for (int i = 0; i < 100; ++i)
        judge(kText, std::to_string(i));
    EXPECT_EQ(filter.size(), 100u);
    now += 3h;
    judge(kText);
    EXPECT_EQ(filter.size(), 1u);
}

}  // namespace
}  // namespace cvp::op
