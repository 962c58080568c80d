#include "proxy/session/reply_fifo.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;
using Kind = ReplySlot::Kind;

const SteadyClock::time_point kNow{1h};

TEST(ReplyFifo, joins_plain_replies_of_one_moment) {
    ReplyFifo fifo;
    fifo.push({Kind::plain, 1, 1, kNow});
    fifo.push({Kind::plain, 2, 1, kNow});
    fifo.push({Kind::blocking, 3, 1, kNow});
    fifo.push({Kind::plain, 1, 1, kNow});
    EXPECT_EQ(fifo.front().count, 2u);
    EXPECT_EQ(fifo.owed(Kind::blocking), 1u);
    fifo.pop();
    fifo.pop();
    EXPECT_EQ(fifo.front().kind, Kind::blocking);
    fifo.pop();
    EXPECT_EQ(fifo.owed(Kind::blocking), 0u);
    EXPECT_EQ(fifo.front().count, 1u);
    fifo.pop_slot();
    EXPECT_TRUE(fifo.empty());
}

TEST(ReplyFifo, keeps_commands_apart_where_it_is_told_to) {
    ReplyFifo fifo(true);
    fifo.push({Kind::plain, 1, 1, kNow});
    fifo.push({Kind::plain, 2, 1, kNow});
    EXPECT_EQ(fifo.front().count, 1u);
}

TEST(ReplyFifo, a_million_commands_of_different_moments_share_slots_in_the_end) {
    ReplyFifo fifo;
    for (int i = 0; i < 1'000'000; ++i)
        fifo.push({Kind::plain, 0, 1, kNow + std::chrono::microseconds(i)});
    EXPECT_LE(fifo.owed(Kind::plain), 66u);
    std::size_t replies = 0;
    for (; !fifo.empty(); fifo.pop())
        ++replies;
    EXPECT_EQ(replies, 1'000'000u);
}

TEST(ReplyFifo, learns_late_how_many_frames_a_slot_waits_for) {
    ReplyFifo fifo;
    fifo.push({Kind::unsubscribe_all, 0, 1, kNow});
    fifo.expect(Kind::unsubscribe, 3);
    EXPECT_EQ(fifo.owed(Kind::unsubscribe_all), 0u);
    EXPECT_EQ(fifo.owed(Kind::unsubscribe), 1u);
    for (int i = 0; i < 3; ++i)
        fifo.pop();
    EXPECT_TRUE(fifo.empty());
}

}  // namespace
}  // namespace cvp::proxy
