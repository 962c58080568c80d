#include "proxy/upstream/login_pacer.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kStart{1h};
const Secret kOld("old token");
const Secret kNew("new token");

TEST(LoginPacer, lets_logins_through_until_one_is_refused) {
    LoginPacer pacer;
    EXPECT_TRUE(pacer.may_try(kOld, kStart));
    pacer.on_refused(kOld, kStart);
    EXPECT_FALSE(pacer.may_try(kOld, kStart + 999ms));
    EXPECT_TRUE(pacer.may_try(kOld, kStart + 1s));
}

TEST(LoginPacer, another_password_goes_at_once) {
    LoginPacer pacer;
    pacer.on_refused(kOld, kStart);
    EXPECT_TRUE(pacer.may_try(kNew, kStart));
}

TEST(LoginPacer, waits_twice_as_long_each_time_up_to_30_s) {
    LoginPacer pacer;
    auto now = kStart;
    for (const auto wait : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        pacer.on_refused(kOld, now);
        EXPECT_FALSE(pacer.may_try(kOld, now + wait - 1ms)) << wait.count();
        EXPECT_TRUE(pacer.may_try(kOld, now + wait)) << wait.count();
        now += wait;
    }
    pacer.on_accepted();
    EXPECT_TRUE(pacer.may_try(kOld, now));
    pacer.on_refused(kOld, now);
    EXPECT_TRUE(pacer.may_try(kOld, now + 1s));
}

TEST(LoginPacer, refusals_of_logins_that_were_in_flight_together_count_as_one) {
    LoginPacer pacer;
    for (int i = 0; i < 50; ++i)
        pacer.on_refused(kOld, kStart + std::chrono::milliseconds(i));
    EXPECT_TRUE(pacer.may_try(kOld, kStart + 1s));
}

TEST(LoginPacer, throttling_holds_every_password_back) {
    LoginPacer pacer;
    pacer.on_refused(std::nullopt, kStart);
    EXPECT_FALSE(pacer.may_try(kNew, kStart + 500ms));
    EXPECT_TRUE(pacer.may_try(kNew, kStart + 1s));
}

TEST(LoginPacer, grace_lasts_five_minutes_from_the_first_login) {
    LoginPacer pacer;
    EXPECT_TRUE(pacer.in_grace(kStart));
    pacer.on_sent(kStart);
    pacer.on_sent(kStart + 4min);
    EXPECT_TRUE(pacer.in_grace(kStart + 5min - 1ms));
    EXPECT_FALSE(pacer.in_grace(kStart + 5min));
}

}  // namespace
}  // namespace cvp::proxy
