#include "proxy/loop/outbox.hpp"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using testing::ElementsAre;
using testing::Pair;

using Log = std::vector<std::pair<char, std::string>>;

class Named final : public Outbox::Sender {
public:
    Named(char name, Log& log) : name_(name), log_(log) {}
    void send_now(std::string_view bytes) override { log_.emplace_back(name_, bytes); }

private:
    char name_;
    Log& log_;
};

class OutboxTest : public testing::Test {
protected:
    Log sent_;
    Named a_{'a', sent_}, b_{'b', sent_};
    Outbox outbox_;
};

TEST_F(OutboxTest, takes_nothing_outside_a_batch) {
    EXPECT_FALSE(outbox_.take(a_, "1"));
    outbox_.open();
    outbox_.close();
    EXPECT_FALSE(outbox_.take(a_, "1"));
    EXPECT_THAT(sent_, ElementsAre());
}

TEST_F(OutboxTest, sends_at_the_batchs_end_in_the_order_of_writing) {
    outbox_.open();
    EXPECT_TRUE(outbox_.take(a_, "1"));
    EXPECT_TRUE(outbox_.take(b_, "2"));
    EXPECT_TRUE(outbox_.take(a_, "3"));
    EXPECT_THAT(sent_, ElementsAre());
    outbox_.close();
    EXPECT_THAT(sent_, ElementsAre(Pair('a', "1"), Pair('b', "2"), Pair('a', "3")));
}

TEST_F(OutboxTest, sends_what_one_writes_in_a_row_as_one) {
    outbox_.open();
    EXPECT_TRUE(outbox_.take(a_, "12"));
    EXPECT_TRUE(outbox_.take(a_, "3"));
    outbox_.close();
    EXPECT_THAT(sent_, ElementsAre(Pair('a', "123")));
}

TEST_F(OutboxTest, sends_once_what_is_flushed_and_goes_on) {
    outbox_.open();
    EXPECT_TRUE(outbox_.take(a_, "1"));
    outbox_.flush();
    EXPECT_TRUE(outbox_.take(b_, "2"));
    outbox_.close();
    EXPECT_THAT(sent_, ElementsAre(Pair('a', "1"), Pair('b', "2")));
}

TEST_F(OutboxTest, takes_nothing_long_and_not_too_much_of_what_is_short) {
    outbox_.open();
    EXPECT_FALSE(outbox_.take(a_, std::string(4097, 'x')));
    const std::string piece(4096, 'x');
    for (int i = 0; i < 8; ++i)
        EXPECT_TRUE(outbox_.take(a_, piece)) << i;
    EXPECT_FALSE(outbox_.take(a_, "1"));
    outbox_.flush();
    EXPECT_TRUE(outbox_.take(a_, "1"));
    outbox_.close();
}

}  // namespace
}  // namespace cvp::proxy
