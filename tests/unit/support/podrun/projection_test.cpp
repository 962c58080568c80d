#include "tests/support/podrun/projection.hpp"

#include <gtest/gtest.h>

namespace cvp::test::podrun {
namespace {

using Json = nlohmann::json;
using Kind = VolumeSource::Kind;

VolumeSource source(Kind kind, const std::string& name, bool is_optional, std::vector<std::string> keys = {}) {
    VolumeSource made{kind, name, is_optional, {}};
    if (!keys.empty()) made.items.emplace();
    for (auto& key : keys)
        made.items->push_back({key, key, {}});
    return made;
}

class Projection : public testing::Test {
protected:
    Result<Payload> projected() {
        return project(volume, "shop", [this](Kind kind, const std::string& name) -> const Json* {
            const auto found = objects.find({kind, name});
            return found == objects.end() ? nullptr : &found->second;
        });
    }

    std::map<std::pair<Kind, std::string>, Json> objects;
    VolumeSpec volume{"v", 0644, {}, false};
};

TEST_F(Projection, fails_while_a_required_config_map_is_missing_in_the_kubelets_words) {
    volume.sources = {source(Kind::config_map, "cm", false, {"connection.yaml"})};
    const auto payload = projected();
    ASSERT_FALSE(payload);
    EXPECT_EQ(payload.error(), (Error{ErrorCode::not_found, "configmap \"shop/cm\" not found"}));
}

TEST_F(Projection, fails_while_a_required_key_is_missing) {
    volume.sources = {source(Kind::config_map, "cm", false, {"connection.yaml"})};
    objects[{Kind::config_map, "cm"}] = {{"data", {{"other", "x"}}}};
    ASSERT_FALSE(projected());
    EXPECT_EQ(projected().error().context, "configmap references non-existent key: connection.yaml");
}

TEST_F(Projection, passes_over_an_optional_secret_and_missing_keys_of_it) {
    volume.sources = {source(Kind::config_map, "cm", false, {"connection.yaml"}),
                      source(Kind::secret, "s", true, {"username", "password"})};
    objects[{Kind::config_map, "cm"}] = {{"data", {{"connection.yaml", "doc"}}}};
    EXPECT_EQ(projected().value(), (Payload{{"connection.yaml", {"doc", 0644}}}));
    objects[{Kind::secret, "s"}] = {{"data", {{"password", "c2VjcmV0"}}}};
    EXPECT_EQ(projected().value(), (Payload{{"connection.yaml", {"doc", 0644}}, {"password", {"secret", 0644}}}));
}

TEST_F(Projection, takes_all_keys_where_none_are_named_also_binary_ones) {
    volume.sources = {source(Kind::config_map, "cm", false)};
    objects[{Kind::config_map, "cm"}] = {{"data", {{"a", "1"}}}, {"binaryData", {{"b", "Mg=="}}}};
    EXPECT_EQ(projected().value(), (Payload{{"a", {"1", 0644}}, {"b", {"2", 0644}}}));
}

TEST_F(Projection, gives_files_the_mode_of_the_item_or_of_the_volume) {
    volume.default_mode = 0400;
    volume.sources = {source(Kind::config_map, "cm", false, {"a", "b"})};
    volume.sources[0].items->at(1).mode = 0444;
    objects[{Kind::config_map, "cm"}] = {{"data", {{"a", "1"}, {"b", "2"}}}};
    EXPECT_EQ(projected().value(), (Payload{{"a", {"1", 0400}}, {"b", {"2", 0444}}}));
}

TEST_F(Projection, lets_no_path_leave_the_volume) {
    objects[{Kind::config_map, "cm"}] = {{"data", {{"a", "1"}}}};
    for (const auto* path : {"../x", "/x", "a/../../x", "..data", ""}) {
        volume.sources = {source(Kind::config_map, "cm", false, {"a"})};
        volume.sources[0].items->at(0).path = path;
        EXPECT_FALSE(projected()) << path;
    }
}

TEST_F(Projection, refuses_a_secret_that_is_no_base64) {
    volume.sources = {source(Kind::secret, "s", true)};
    objects[{Kind::secret, "s"}] = {{"data", {{"a", "***"}}}};
    EXPECT_FALSE(projected());
}

}  // namespace
}  // namespace cvp::test::podrun
