#include "proxy/session/subscriber_move.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using Step = SubscriberMove::Step;

std::string push(std::string_view type, std::vector<std::string_view> words) {
    std::string frame(type);
    frame += std::to_string(words.size()) + "\r\n";
    for (const auto word : words) {
        const bool is_number = word.starts_with(":");
        frame += is_number ? std::string(word) + "\r\n"
                           : "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
    }
    return frame;
}

ClientState subscriber(int protocol) {
    ClientState state;
    state.protocol = protocol;
    state.subscriptions.channels = {"a"};
    return state;
}

const std::string kReplayed = "%0\r\n" + push(">", {"subscribe", "a", ":1"});

TEST(SubscriberMove, subscribes_to_all_and_to_the_marker_and_publishes_it) {
    SubscriberMove move(subscriber(2), "mark");
    std::string expected;
    append_command(expected, {"HELLO", "3"});
    append_command(expected, {"SUBSCRIBE", "a"});
    append_command(expected, {"SSUBSCRIBE", "mark"});
    EXPECT_EQ(move.begin(), expected);
    EXPECT_EQ(move.on_bytes(kReplayed), Step::pending);
    EXPECT_EQ(move.on_bytes(push(">", {"ssubscribe", "mark", ":1"})), Step::subscribed);
    std::string publish;
    append_command(publish, {"SPUBLISH", "mark", "1"});
    append_command(publish, {"SUNSUBSCRIBE", "mark"});
    append_command(publish, {"HELLO", "2"});
    EXPECT_EQ(move.publish(), publish);
}

TEST(SubscriberMove, keeps_what_comes_after_the_marker_and_only_that) {
    for (const int protocol : {2, 3}) {
        SubscriberMove move(subscriber(protocol), "mark");
        const auto early = push(">", {"message", "a", "early"});
        move.on_bytes(kReplayed + early + push(">", {"ssubscribe", "mark", ":1"}) + early);
        move.on_bytes(push(">", {"smessage", "mark", "1"}) + push(">", {"message", "a", "one"}) + ":2\r\n" +
                      push(">", {"sunsubscribe", "mark", ":0"}));
        const auto own = protocol == 2 ? "*" : ">";
        if (protocol == 2) {
            EXPECT_EQ(move.on_bytes(push(">", {"message", "a", "two"})), Step::subscribed);
            EXPECT_EQ(move.on_bytes("*0\r\n" + push("*", {"message", "a", "three"})), Step::arrived);
        } else {
            EXPECT_EQ(move.on_bytes(push(">", {"message", "a", "two"}) + push(">", {"message", "a", "three"})),
                      Step::arrived);
        }
        EXPECT_EQ(move.take_kept(), push(own, {"message", "a", "one"}) + push(own, {"message", "a", "two"}) +
                                        push(own, {"message", "a", "three"}));
    }
}

TEST(SubscriberMove, arrives_however_the_bytes_are_cut) {
    SubscriberMove move(subscriber(2), "mark");
    const auto all = kReplayed + push(">", {"ssubscribe", "mark", ":1"}) + push(">", {"smessage", "mark", "1"}) +
                     ":2\r\n" + push(">", {"sunsubscribe", "mark", ":0"}) + push(">", {"message", "a", "one"}) +
                     "*0\r\n" + push("*", {"message", "a", "two"});
    auto step = Step::pending;
    for (const char byte : all)
        step = move.on_bytes({&byte, 1});
    EXPECT_EQ(step, Step::arrived);
    EXPECT_EQ(move.take_kept(), push("*", {"message", "a", "one"}) + push("*", {"message", "a", "two"}));
}

TEST(SubscriberMove, gives_up_where_anything_is_refused) {
    SubscriberMove move(subscriber(3), "mark");
    EXPECT_EQ(move.on_bytes("%0\r\n-NOPERM no\r\n"), Step::refused);
}

}  // namespace
}  // namespace cvp::proxy
