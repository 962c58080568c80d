#include "operator/reconcile/config_map.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op {
namespace {

using nlohmann::json;

ValkeyConnection connection() {
    ValkeyConnection c;
    c.namespace_name = "shop";
    c.name = "sessions";
    c.uid = "u-1";
    return c;
}

TEST(ConfigMap, is_built_with_label_owner_and_document) {
    auto built = build_config_map(connection(), "document");
    const auto digest = built["metadata"]["annotations"].at("cloudvalkey.dev/digest").get<std::string>();
    EXPECT_EQ(digest.size(), 64u);
    built["metadata"].erase("annotations");
    EXPECT_EQ(built, json::parse(R"({"apiVersion":"v1","kind":"ConfigMap",
        "metadata":{"name":"cloudvalkey-sessions","namespace":"shop",
          "labels":{"app.kubernetes.io/managed-by":"cloud-valkey-operator"},
          "ownerReferences":[{"apiVersion":"cloudvalkey.dev/v1alpha1","kind":"ValkeyConnection","name":"sessions",
                              "uid":"u-1","controller":true}]},
        "data":{"connection.yaml":"document"}})"))
        << "no blockOwnerDeletion, no finalizer";
}

TEST(ConfigMap, ownership_is_that_of_its_controller) {
    const auto ours = build_config_map(connection(), "x");
    EXPECT_EQ(ownership_of(nullptr, connection()), Ownership::absent);
    EXPECT_EQ(ownership_of(&ours, connection()), Ownership::ours);

    auto earlier = ours;
    earlier["metadata"]["ownerReferences"][0]["uid"] = "u-0";
    EXPECT_EQ(ownership_of(&earlier, connection()), Ownership::stale);

    const auto foreign = [&](const json& owners) {
        auto other = ours;
        other["metadata"]["ownerReferences"] = owners;
        return ownership_of(&other, connection());
    };
    const auto owner = ours["metadata"]["ownerReferences"][0];
    EXPECT_EQ(foreign(nullptr), Ownership::foreign);
    EXPECT_EQ(foreign(json::array()), Ownership::foreign);
    auto changed = owner;
    changed["controller"] = false;
    EXPECT_EQ(foreign({changed}), Ownership::foreign) << "an owner, not the controller";
    changed = owner;
    changed["name"] = "orders";
    EXPECT_EQ(foreign({changed}), Ownership::foreign);
    changed = owner;
    changed["kind"] = "Deployment";
    EXPECT_EQ(foreign({changed}), Ownership::foreign);
    changed = owner;
    changed["apiVersion"] = "other.dev/v1";
    EXPECT_EQ(foreign({changed}), Ownership::foreign);
    changed = owner;
    changed["apiVersion"] = "cloudvalkey.dev/v1";
    EXPECT_EQ(foreign({json{{"kind", "Other"}}, changed}), Ownership::ours) << "a later version of our own API";
}

TEST(ConfigMap, is_up_to_date_when_all_that_is_ours_is_as_it_should_be) {
    const auto desired = build_config_map(connection(), "x");
    auto live = desired;
    live["metadata"]["resourceVersion"] = "7";
    live["metadata"]["labels"]["theirs"] = "kept";
    live["data"]["theirs"] = "kept";
    EXPECT_TRUE(is_up_to_date(live, desired));
    const auto is_outdated = [&](auto change) {
        auto edited = live;
        change(edited);
        return !is_up_to_date(edited, desired);
    };
    EXPECT_TRUE(is_outdated([](json& m) { m["data"]["connection.yaml"] = "y"; }));
    EXPECT_TRUE(is_outdated([](json& m) { m["data"].erase("connection.yaml"); }));
    EXPECT_TRUE(is_outdated([](json& m) { m.erase("data"); }));
    EXPECT_TRUE(is_outdated([](json& m) { m["metadata"]["labels"].erase("app.kubernetes.io/managed-by"); }));
    EXPECT_TRUE(is_outdated([](json& m) { m["metadata"].erase("annotations"); }));
}

TEST(ConfigMap, an_apply_names_the_object_that_was_read) {
    auto desired = build_config_map(connection(), "x");
    add_preconditions(desired, {{"metadata", {{"uid", "cm-1"}, {"resourceVersion", "42"}}}});
    EXPECT_EQ(desired["metadata"]["uid"], "cm-1");
    EXPECT_EQ(desired["metadata"]["resourceVersion"], "42");
}

TEST(ConfigMap, an_edited_document_is_not_believed) {
    auto live = build_config_map(connection(), "as written");
    EXPECT_EQ(unedited_document(live), "as written");
    live["data"]["connection.yaml"] = "edited";
    EXPECT_EQ(unedited_document(live), "");
    live["metadata"].erase("annotations");
    EXPECT_EQ(unedited_document(live), "");
    EXPECT_EQ(unedited_document(json::object()), "");
}

TEST(ConfigMap, its_name_leads_to_the_connection) {
    EXPECT_EQ(connection_of_config_map({"shop", "cloudvalkey-sessions"}), (ObjectKey{"shop", "sessions"}));
    EXPECT_EQ(connection_of_config_map({"shop", "kube-root-ca.crt"}), std::nullopt);
}

}  // namespace
}  // namespace cvp::op
