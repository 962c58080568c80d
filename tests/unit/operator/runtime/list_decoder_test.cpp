#include "operator/runtime/list_decoder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op {
namespace {

using Json = nlohmann::json;

/// What a decoder made of a body that came in pieces of `step` bytes: the items' names, then the end, or the fault.
std::string decode(std::string_view body, std::size_t step = 7, std::size_t max_item = 1000) {
    ListDecoder decoder(max_item);
    std::string seen;
    for (std::size_t at = 0; at < body.size(); at += step) {
        decoder.feed(body.substr(at, step));
        while (true) {
            auto item = decoder.next();
            if (!item) return seen + "fault: " + item.error().context;
            if (!*item) break;
            seen += (**item).value("n", std::string("?")) + " ";
        }
    }
    const auto end = decoder.finish();
    if (!end) return seen + "fault: " + end.error().context;
    return seen + "end " + end->resource_version + " " + end->continue_token;
}

TEST(ListDecoder, gives_the_same_items_wherever_the_body_is_cut) {
    const std::string body =
        R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"more","items":[1]},)"
        R"( "items" : [ {"n":"a","x":{"items":[{}]}} , {"n":"b","s":"}],\"\\"},{"n":"c","l":[[],{}]} ] })"
        "\n";
    for (std::size_t step = 1; step <= body.size(); ++step)
        EXPECT_EQ(decode(body, step), "a b c end 7 more") << "in steps of " << step;
}

TEST(ListDecoder, does_not_mind_the_order_of_members) {
    EXPECT_EQ(decode(R"({"items":[{"n":"a"}],"extra":{"items":[{"n":"no"}]},"metadata":{"resourceVersion":"7"}})"),
              "a end 7 ");
}

TEST(ListDecoder, knows_lists_without_items) {
    EXPECT_EQ(decode(R"({"metadata":{"resourceVersion":"7"},"items":[]})"), "end 7 ");
    EXPECT_EQ(decode(R"({"metadata":{"resourceVersion":"7"},"items":null})"), "end 7 ");
    EXPECT_EQ(decode(R"({"metadata":{"resourceVersion":"7"}})"), "end 7 ");
}

TEST(ListDecoder, is_not_misled_by_strings_that_look_like_members) {
    EXPECT_EQ(decode(R"({"kind":"items","a":"items\":[{","metadata":{"resourceVersion":"7"},"items":[{"n":"a"}]})"),
              "a end 7 ");
}

TEST(ListDecoder, hands_out_an_item_before_the_next_one_has_come) {
    ListDecoder decoder;
    decoder.feed(R"({"items":[{"n":"a"})");
    const auto item = decoder.next();
    ASSERT_TRUE(item && *item);
    EXPECT_EQ((**item)["n"], "a");
    const auto more = decoder.next();
    ASSERT_TRUE(more);
    EXPECT_FALSE(*more);
}

TEST(ListDecoder, refuses_what_ends_too_early) {
    const std::string body = R"({"metadata":{"resourceVersion":"7"},"items":[{"n":"a"},{"n":"b"}]})";
    for (std::size_t size = 0; size < body.size(); ++size)
        EXPECT_NE(decode(body.substr(0, size)).find("fault: "), std::string::npos) << body.substr(0, size);
}

TEST(ListDecoder, takes_no_array_inside_of_an_object_called_items_for_them) {
    EXPECT_EQ(decode(R"({"metadata":{"resourceVersion":"7"},"items":{"a":[{"n":"no"}]}})"),
              "fault: the answer is no List: its items are no array");
}

TEST(ListDecoder, refuses_what_is_no_list) {
    for (const auto* body :
         {"", "[]", "7", "<html>", "}", "]", R"({"metadata":{}})", R"({"items":[7]})", R"({"items":[{}{}]})",
          R"({"items":[,{}]})", R"({"items":[{},]})", R"({"items":[[]]})", R"({"items":[{"a":]}]})",
          R"({"metadata":{"resourceVersion":"7"},"items":[{}]} x)", R"({"metadata":{"resourceVersion":"7"}}})"}) {
        EXPECT_NE(decode(body).find("fault: the answer is no List"), std::string::npos) << body;
    }
}

TEST(ListDecoder, refuses_what_is_too_long_before_it_ends) {
    const auto long_item = R"({"items":[{"n":")" + std::string(1000, 'x');
    EXPECT_EQ(decode(long_item), "fault: the answer is no List: an item is longer than 1000 bytes");
    const auto long_envelope = R"({"kind":")" + std::string(70'000, 'x');
    EXPECT_EQ(decode(long_envelope), "fault: the answer is no List: there is too much around its items");
}

}  // namespace
}  // namespace cvp::op
