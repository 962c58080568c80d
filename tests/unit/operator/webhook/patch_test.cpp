#include "operator/webhook/patch.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op {
namespace {

using nlohmann::json;

TEST(Patch, escapes_keys_for_json_pointers) {
    EXPECT_EQ(escape_pointer("cloudvalkey.dev/injected"), "cloudvalkey.dev~1injected");
    EXPECT_EQ(escape_pointer("a~b/c~1"), "a~0b~1c~01");
    EXPECT_EQ(escape_pointer(""), "");
}

TEST(Patch, makes_an_absent_map_once_before_its_members) {
    const auto document = json::parse(R"({"metadata":{}})");
    Patch patch(document);
    patch.set("/metadata/labels", "a/b", "1");
    patch.set("/metadata/labels", "c", "2");
    EXPECT_EQ(patch.operations(), json::parse(R"([
        {"op":"add","path":"/metadata/labels","value":{}},
        {"op":"add","path":"/metadata/labels/a~1b","value":"1"},
        {"op":"add","path":"/metadata/labels/c","value":"2"}])"));
}

TEST(Patch, treats_null_as_absent) {
    const auto document = json::parse(R"({"spec":{"volumes":null}})");
    Patch patch(document);
    patch.put("/spec/volumes", {{"name", "v"}});
    EXPECT_EQ(document.patch(patch.operations()), json::parse(R"({"spec":{"volumes":[{"name":"v"}]}})"));
}

TEST(Patch, keeps_what_others_put_into_a_list) {
    const auto document = json::parse(R"({"list":[{"name":"a"},{"name":"b","x":1}]})");
    Patch patch(document);
    patch.put("/list", {{"name", "b"}});
    patch.put("/list", {{"name", "c"}});
    patch.prepend("/list", {json{{"name", "first"}}, json{{"name", "second"}}});
    patch.append("/list", {{"name", "a"}});
    const auto result = json::parse(
        R"({"list":[{"name":"first"},{"name":"second"},{"name":"a"},{"name":"b"},{"name":"c"},{"name":"a"}]})");
    EXPECT_EQ(document.patch(patch.operations()), result);
    EXPECT_EQ(patch.document(), result);
}

TEST(Patch, writes_nothing_for_what_is_there_already) {
    const auto document = json::parse(R"({"map":{"k":"v"},"list":[{"name":"a"},{"name":"b"}]})");
    Patch patch(document);
    patch.set("/map", "k", "v");
    patch.put("/list", {{"name", "a"}});
    patch.place("/list", {{"name", "b"}}, 1);
    EXPECT_EQ(patch.operations(), json::array());
}

TEST(Patch, places_an_element_among_the_others) {
    const auto place = [](const char* list, std::size_t position) {
        const auto document = json::parse(list);
        Patch patch(document);
        patch.place("", {{"name", "x"}, {"new", true}}, position);
        EXPECT_EQ(document.patch(patch.operations()), patch.document());
        std::string names;
        for (const auto& element : patch.document())
            names += element["name"].get<std::string>() + (element.contains("new") ? "! " : " ");
        return names;
    };
    EXPECT_EQ(place("[]", 0), "x! ");
    EXPECT_EQ(place("[]", 5), "x! ");
    EXPECT_EQ(place(R"([{"name":"a"},{"name":"b"}])", 1), "a x! b ");
    EXPECT_EQ(place(R"([{"name":"a"},{"name":"x"},{"name":"b"}])", 0), "x! a b ");
    EXPECT_EQ(place(R"([{"name":"a"},{"name":"x"},{"name":"b"}])", 1), "a x! b ");
    EXPECT_EQ(place(R"([{"name":"a"},{"name":"x"},{"name":"b"}])", 2), "a b x! ");
}

TEST(Patch, makes_the_way_to_what_it_adds) {
    for (const auto* text : {"{}", R"({"spec":null})", R"({"spec":7})", R"({"spec":{"list":{"x":1}}})"}) {
        const auto document = json::parse(text);
        Patch patch(document);
        patch.append("/spec/list", {{"name", "x"}});
        EXPECT_EQ(document.patch(patch.operations()), json::parse(R"({"spec":{"list":[{"name":"x"}]}})")) << text;
    }
}

TEST(Patch, leaves_the_document_alone) {
    const auto document = json::parse(R"({"spec":{}})");
    Patch patch(document);
    patch.append("/spec/initContainers", {{"name", "x"}});
    EXPECT_EQ(document, json::parse(R"({"spec":{}})"));
}

}  // namespace
}  // namespace cvp::op
