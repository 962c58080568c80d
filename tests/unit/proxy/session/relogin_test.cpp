#include "proxy/session/relogin.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kStart{1h};

TEST(Relogin, is_never_due_without_limits) {
    Relogin relogin;
    relogin.on_logged_in(kStart, 0.5);
    EXPECT_FALSE(relogin.is_due(kStart + 1000h));
    EXPECT_EQ(relogin.next(kStart), std::nullopt);
}

TEST(Relogin, is_due_between_8_and_11_hours_and_overdue_after_eleven_and_a_half) {
    for (const auto& [spread, due] : {std::pair{0.0, 8h}, std::pair{1.0, 11h}}) {
        Relogin relogin((AgeLimits()));
        relogin.on_logged_in(kStart, spread);
        EXPECT_EQ(relogin.next(kStart), kStart + due);
        EXPECT_FALSE(relogin.is_due(kStart + due - 1s));
        EXPECT_TRUE(relogin.is_due(kStart + due));
        EXPECT_EQ(relogin.next(kStart + due), kStart + 690min);
        EXPECT_FALSE(relogin.is_overdue(kStart + 689min));
        EXPECT_TRUE(relogin.is_overdue(kStart + 690min));
    }
}

TEST(Relogin, a_refused_login_is_tried_again_after_1_2_4_and_at_most_30_s) {
    Relogin relogin((AgeLimits()));
    relogin.on_logged_in(kStart, 0);
    auto now = kStart + 8h;
    for (const auto wait : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        relogin.on_refused(now);
        EXPECT_TRUE(relogin.was_refused());
        EXPECT_FALSE(relogin.is_due(now + wait - 1ms));
        EXPECT_TRUE(relogin.is_due(now + wait));
        now += wait;
    }
    relogin.on_logged_in(now, 0);
    EXPECT_FALSE(relogin.was_refused());
    EXPECT_EQ(relogin.next(now), now + 8h);
}

TEST(Relogin, logging_in_again_does_not_put_the_deadline_off) {
    Relogin relogin((AgeLimits()));
    relogin.on_logged_in(kStart, 0);
    relogin.on_renewed(kStart + 8h, 0);
    EXPECT_FALSE(relogin.is_due(kStart + 15h));
    EXPECT_TRUE(relogin.is_overdue(kStart + 690min));
    EXPECT_EQ(relogin.next(kStart + 8h), kStart + 690min);
    relogin.on_logged_in(kStart + 690min, 0);
    EXPECT_FALSE(relogin.is_overdue(kStart + 690min)) << "another connection";
}

TEST(Relogin, what_is_postponed_is_due_in_a_second_however_often) {
    Relogin relogin((AgeLimits()));
    relogin.on_logged_in(kStart, 0);
    for (auto now = kStart + 8h; now < kStart + 8h + 5s; now += 1s) {
        relogin.on_postponed(now);
        EXPECT_FALSE(relogin.was_refused());
        EXPECT_FALSE(relogin.is_due(now + 999ms));
        EXPECT_TRUE(relogin.is_due(now + 1s));
    }
}

TEST(Relogin, tells_once_that_the_deadline_was_missed) {
    Relogin relogin((AgeLimits()));
    relogin.on_logged_in(kStart, 0);
    EXPECT_TRUE(relogin.note_missed());
    EXPECT_FALSE(relogin.note_missed());
    relogin.on_logged_in(kStart, 0);
    EXPECT_TRUE(relogin.note_missed());
}

}  // namespace
}  // namespace cvp::proxy
