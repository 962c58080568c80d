#include "tests/oracle/session_model.hpp"

#include <gtest/gtest.h>

namespace cvp::oracle {
namespace {

std::size_t frames(SessionModel& model, std::vector<std::string> words, Form form = Form::multibulk) {
    return model.apply({std::move(words), form}).frames;
}

TEST(OracleSessionModel, skip_silences_one_command_and_off_all_until_on) {
    SessionModel model;
    EXPECT_EQ(frames(model, {"CLIENT", "REPLY", "SKIP"}), 0U);
    EXPECT_EQ(frames(model, {"GET", "k"}), 0U);
    EXPECT_EQ(frames(model, {"GET", "k"}), 1U);
    EXPECT_EQ(frames(model, {"CLIENT", "REPLY", "OFF"}), 0U);
    EXPECT_EQ(frames(model, {"GET", "k"}), 0U);
    EXPECT_EQ(frames(model, {"SUBSCRIBE", "a", "b"}), 2U);
    EXPECT_EQ(frames(model, {"UNSUBSCRIBE"}), 2U);
    EXPECT_EQ(frames(model, {"client", "reply", "on"}), 1U);
}

TEST(OracleSessionModel, bytes_that_are_no_command_end_a_skip) {
    SessionModel model;
    frames(model, {"CLIENT", "REPLY", "SKIP"});
    EXPECT_EQ(frames(model, {"*0\r\n"}, Form::noise), 0U);
    EXPECT_EQ(frames(model, {"GET", "k"}), 1U);
}

TEST(OracleSessionModel, subscriptions_are_answered_name_by_name) {
    SessionModel model;
    EXPECT_EQ(frames(model, {"SUBSCRIBE", "a", "b", "a"}), 3U);
    EXPECT_TRUE(model.is_restricted());
    EXPECT_EQ(frames(model, {"HELLO", "3"}), 1U);
    EXPECT_EQ(model.protocol(), 2) << "a subscriber on RESP2 is refused";
    EXPECT_EQ(frames(model, {"UNSUBSCRIBE"}), 2U);
    EXPECT_FALSE(model.is_restricted());
    EXPECT_EQ(frames(model, {"UNSUBSCRIBE", "a", "b"}), 1U) << "one error for all where nothing is subscribed";
}

TEST(OracleSessionModel, exec_has_a_mask_for_each_command) {
    SessionModel model;
    model.apply({{"MULTI"}, Form::multibulk});
    model.apply({{"GET", "k"}, Form::multibulk});
    model.apply({{"TTL", "k"}, Form::multibulk});
    const auto exec = model.apply({{"EXEC"}, Form::multibulk});
    ASSERT_EQ(exec.elements.size(), 2U);
    EXPECT_EQ(exec.elements[1]->kind, Mask::Kind::leaves);
    EXPECT_FALSE(model.is_in_multi());
}

TEST(OracleSessionModel, changes_in_a_transaction_happen_at_exec) {
    SessionModel model;
    frames(model, {"MULTI"});
    EXPECT_EQ(frames(model, {"HELLO", "3"}), 1U);
    EXPECT_EQ(frames(model, {"SUBSCRIBE", "a", "b"}), 1U);
    EXPECT_EQ(model.protocol(), 2);
    EXPECT_EQ(frames(model, {"EXEC"}), 2U) << "the second name's frame is no element";
    EXPECT_EQ(model.protocol(), 3);
    EXPECT_EQ(model.subscriptions(), 2U);
}

TEST(OracleSessionModel, reset_forgets_everything) {
    SessionModel model;
    frames(model, {"HELLO", "3"});
    frames(model, {"SUBSCRIBE", "a"});
    frames(model, {"MULTI"});
    EXPECT_EQ(frames(model, {"RESET"}), 1U);
    EXPECT_EQ(model.protocol(), 2);
    EXPECT_EQ(model.subscriptions(), 0U);
    EXPECT_FALSE(model.is_in_multi());
}

}  // namespace
}  // namespace cvp::oracle
