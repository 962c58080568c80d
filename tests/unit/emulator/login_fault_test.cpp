#include "tests/emulator/login_fault.hpp"

#include <gtest/gtest.h>

namespace cvp::emulator {
namespace {

using namespace std::chrono_literals;

constexpr SteadyClock::time_point kNow{1h};

TEST(LoginFaults, hit_as_many_logins_as_they_were_told_to) {
    LoginFaults faults;
    faults.add({.answer = LoginAnswer::wrongpass, .remaining = 2});
    EXPECT_EQ(faults.take(false, kNow).answer, LoginAnswer::wrongpass);
    EXPECT_EQ(faults.take(true, kNow).answer, LoginAnswer::wrongpass);
    EXPECT_EQ(faults.take(true, kNow).answer, LoginAnswer::pass);
    EXPECT_TRUE(faults.active().empty());
}

TEST(LoginFaults, end_with_their_time) {
    LoginFaults faults;
    faults.add({.answer = LoginAnswer::iam_other, .expiry = kNow + 2s});
    EXPECT_EQ(faults.take(false, kNow).answer, LoginAnswer::iam_other);
    EXPECT_EQ(faults.take(false, kNow + 1999ms).answer, LoginAnswer::iam_other);
    EXPECT_EQ(faults.take(false, kNow + 2s).answer, LoginAnswer::pass);
    EXPECT_TRUE(faults.active().empty());
}

TEST(LoginFaults, without_count_and_time_last_until_they_are_cleared) {
    LoginFaults faults;
    faults.add({.answer = LoginAnswer::silence});
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(faults.take(true, kNow + i * 1h).answer, LoginAnswer::silence);
    faults.clear();
    EXPECT_EQ(faults.take(true, kNow).answer, LoginAnswer::pass);
}

TEST(LoginFaults, may_be_for_the_first_login_of_a_connection_or_for_later_ones_alone) {
    LoginFaults faults;
    faults.add({.answer = LoginAnswer::iam_exhausted, .turn = LoginTurn::later});
    faults.add({.answer = LoginAnswer::wrongpass, .turn = LoginTurn::first});
    EXPECT_EQ(faults.take(false, kNow).answer, LoginAnswer::wrongpass);
    EXPECT_EQ(faults.take(true, kNow).answer, LoginAnswer::iam_exhausted);
}

TEST(LoginFaults, add_their_delays_up_and_the_first_answer_wins_without_using_the_second_up) {
    LoginFaults faults;
    faults.add({.delay = 20ms});
    faults.add({.answer = LoginAnswer::wrongpass, .delay = 3ms, .remaining = 1});
    faults.add({.answer = LoginAnswer::cut, .delay = 100ms, .remaining = 1});
    const auto first = faults.take(false, kNow);
    EXPECT_EQ(first.answer, LoginAnswer::wrongpass);
    EXPECT_EQ(first.delay, 23ms);
    const auto second = faults.take(false, kNow);
    EXPECT_EQ(second.answer, LoginAnswer::cut);
    EXPECT_EQ(second.delay, 120ms);
    EXPECT_EQ(faults.take(false, kNow).delay, 20ms);
}

TEST(LoginAnswer, is_read_from_the_words_that_it_is_written_with) {
    for (const auto answer : {LoginAnswer::pass, LoginAnswer::wrongpass, LoginAnswer::iam_exhausted,
                              LoginAnswer::iam_other, LoginAnswer::silence, LoginAnswer::cut})
        EXPECT_EQ(parse_login_answer(to_string(answer)).value(), answer);
    EXPECT_FALSE(parse_login_answer("NOAUTH"));
}

TEST(LoginAnswer, says_what_the_service_documents) {
    EXPECT_EQ(answer_bytes(LoginAnswer::wrongpass, false),
              "-WRONGPASS invalid username-password pair or user is disabled\r\n");
    EXPECT_EQ(answer_bytes(LoginAnswer::iam_exhausted, true),
              "-ERR (ERR_IAM_EXHAUSTED) Memorystore IAM authentication backend quota exceeded.\r\n");
    EXPECT_EQ(answer_bytes(LoginAnswer::iam_other, false),
              "-ERR (ERR_IAM_OTHER) Memorystore IAM authentication backend error.\r\n");
    EXPECT_EQ(answer_bytes(LoginAnswer::silence, false), "");
    EXPECT_EQ(answer_bytes(LoginAnswer::cut, false), "+O");
}

}  // namespace
}  // namespace cvp::emulator
