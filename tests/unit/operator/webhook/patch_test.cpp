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
    patch.prepend("/list", {{"name", "first"}});
    EXPECT_EQ(document.patch(patch.operations()),
              json::parse(R"({"list":[{"name":"first"},{"name":"a"},{"name":"b"},{"name":"c"}]})"));
}

TEST(Patch, leaves_the_document_alone) {
    const auto document = json::parse(R"({"spec":{}})");
    Patch patch(document);
    patch.prepend("/spec/initContainers", {{"name", "x"}});
    EXPECT_EQ(document, json::parse(R"({"spec":{}})"));
}

}  // namespace
}  // namespace cvp::op
