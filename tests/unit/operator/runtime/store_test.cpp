#include "operator/runtime/store.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/allocated_bytes.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;
using Kind = WatchDelta::Kind;

Json object(const std::string& name, const std::string& version, const std::string& uid = "u") {
    return {{"metadata",
             {{"namespace", "shop"},
              {"name", name},
              {"uid", uid},
              {"resourceVersion", version},
              {"managedFields", Json::array({"many"})}}}};
}

std::vector<StoreChange> apply(Store& store, WatchDelta delta) {
    std::vector<StoreChange> changes;
    store.apply(std::move(delta), [&](const StoreChange& change) { changes.push_back(change); });
    return changes;
}

std::vector<StoreChange> tell(Store& store, Kind kind, Json what) {
    return apply(store, {kind, std::make_shared<Json>(std::move(what))});
}

std::vector<StoreChange> tell(Store& store, Kind kind) {
    return apply(store, {kind, nullptr});
}

std::vector<StoreChange> replace(Store& store, const std::vector<Json>& objects) {
    EXPECT_TRUE(tell(store, Kind::list_started).empty());
    for (const auto& each : objects)
        EXPECT_TRUE(tell(store, Kind::listed, each).empty());
    return tell(store, Kind::list_complete);
}

/// "a:1>2" changed, "a:>1" new, "a:1>" gone.
std::string summary(const std::vector<StoreChange>& changes) {
    const auto version = [](const ObjectPtr& it) {
        return it ? it->at("metadata").at("resourceVersion").get<std::string>() : std::string();
    };
    std::string text;
    for (const auto& change : changes)
        text += change.key.name + ":" + version(change.before) + ">" + version(change.after) + " ";
    return text;
}

TEST(Store, tells_each_object_of_the_first_list_as_new) {
    Store store;
    EXPECT_FALSE(store.is_synced());
    EXPECT_EQ(summary(replace(store, {object("b", "2"), object("a", "1")})), "a:>1 b:>2 ");
    EXPECT_TRUE(store.is_synced());
}

TEST(Store, finds_out_what_changed_and_disappeared_between_two_lists) {
    Store store;
    replace(store, {object("a", "1"), object("b", "2"), object("c", "3")});
    EXPECT_EQ(summary(replace(store, {object("b", "2"), object("c", "4"), object("d", "5")})), "a:1> c:3>4 d:>5 ");
    EXPECT_EQ(store.find({"shop", "a"}), nullptr);
    EXPECT_EQ(store.size(), 3u);
}

TEST(Store, forgets_what_is_deleted_while_it_is_listed) {
    Store store;
    replace(store, {object("a", "1")});
    tell(store, Kind::list_started);
    tell(store, Kind::listed, object("a", "1"));
    tell(store, Kind::listed, object("b", "2"));
    EXPECT_EQ(summary(tell(store, Kind::deleted, object("a", "3"))), "a:1> ");
    EXPECT_EQ(summary(tell(store, Kind::deleted, object("b", "4"))), "");
    EXPECT_EQ(summary(tell(store, Kind::list_complete)), "");
    EXPECT_EQ(store.size(), 0u);
}

TEST(Store, ignores_events_that_come_out_of_order) {
    Store store;
    replace(store, {object("a", "9")});
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "11"))), "a:9>11 ");
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "10"))), "");
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "8"))), "") << "as a number it is older, too";
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "7", "another"))), "a:11>7 ") << "another object";
    EXPECT_EQ(summary(replace(store, {object("a", "2", "another")})), "a:7>2 ") << "a restored etcd";
}

TEST(Store, shows_the_old_content_until_a_list_is_complete) {
    Store store;
    replace(store, {object("a", "1")});
    tell(store, Kind::list_started);
    tell(store, Kind::listed, object("b", "2"));
    EXPECT_NE(store.find({"shop", "a"}), nullptr);
    EXPECT_EQ(store.find({"shop", "b"}), nullptr);
    tell(store, Kind::list_started);
    EXPECT_EQ(summary(tell(store, Kind::list_complete)), "a:1> ")
        << "a list that was begun anew forgets the first part";
}

TEST(Store, follows_events) {
    Store store;
    replace(store, {object("a", "1")});
    EXPECT_EQ(summary(tell(store, Kind::applied, object("b", "2"))), "b:>2 ");
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "3"))), "a:1>3 ");
    EXPECT_EQ(summary(tell(store, Kind::deleted, object("a", "4"))), "a:3> ");
    EXPECT_EQ(summary(tell(store, Kind::deleted, object("a", "4"))), "") << "it is gone already";
}

TEST(Store, takes_the_same_version_for_no_change) {
    Store store;
    replace(store, {object("a", "1")});
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "1"))), "");
    EXPECT_EQ(summary(replace(store, {object("a", "1")})), "");
    EXPECT_EQ(summary(tell(store, Kind::applied, object("a", "1", "other"))), "a:1>1 ")
        << "another object of that name";
}

TEST(Store, drops_managed_fields) {
    Store store;
    replace(store, {object("a", "1")});
    tell(store, Kind::applied, object("b", "2"));
    EXPECT_FALSE(store.find({"shop", "a"})->at("metadata").contains("managedFields"));
    EXPECT_FALSE(store.find({"shop", "b"})->at("metadata").contains("managedFields"));
}

TEST(Store, drops_the_copy_that_kubectl_keeps_and_no_other_annotation) {
    Store store;
    auto applied = object("a", "1");
    applied["metadata"]["annotations"] = {{"kubectl.kubernetes.io/last-applied-configuration", "{}"}, {"other", "x"}};
    replace(store, {applied});
    EXPECT_EQ(store.find({"shop", "a"})->at("metadata").at("annotations"), Json({{"other", "x"}}));
}

TEST(Store, gives_back_what_it_was_given) {
    Store store;
    auto odd = object("a", "1");
    odd["metadata"].erase("managedFields");
    odd["spec"] = Json::parse(R"({"n": -1, "big": 18446744073709551615, "f": 0.1, "t": "h\u00fc\u0000", "none": null,
                                  "list": [[], {}, true]})");
    replace(store, {odd});
    EXPECT_EQ(*store.find({"shop", "a"}), odd);
}

TEST(Store, keeps_an_object_in_less_memory_than_its_text_has) {
    auto large = object("a", "1");
    for (int i = 0; i < 100; ++i)
        large["spec"]["field-" + std::to_string(i)] = i;
    const auto text = large.dump().size();
    const auto before = test::allocated_bytes();
    Store store;
    for (int i = 0; i < 100; ++i) {
        large["metadata"]["name"] = std::to_string(i);
        tell(store, Kind::applied, large);
    }
    EXPECT_LE(test::allocated_bytes() - before, 100 * text);
}

TEST(Store, shows_the_new_content_to_who_is_told_of_a_change) {
    Store store;
    replace(store, {object("a", "1"), object("b", "2")});
    tell(store, Kind::list_started);
    tell(store, Kind::listed, object("b", "3"));
    int told = 0;
    store.apply({Kind::list_complete, nullptr}, [&](const StoreChange&) {
        ++told;
        EXPECT_EQ(store.find({"shop", "a"}), nullptr);
        EXPECT_EQ(store.find({"shop", "b"})->at("metadata").at("resourceVersion"), "3");
    });
    EXPECT_EQ(told, 2);
}

TEST(Store, keeps_what_its_owner_chooses) {
    Store store([](Json& it) { it.erase("data"); });
    auto large = object("a", "1");
    large["data"] = "much";
    replace(store, {large});
    EXPECT_FALSE(store.find({"shop", "a"})->contains("data"));
}

}  // namespace
}  // namespace cvp::op
