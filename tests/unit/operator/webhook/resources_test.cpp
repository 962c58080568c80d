#include "operator/webhook/resources.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/webhook/quantity.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// A pod of containers with these `resources`.
json make_pod(const std::vector<std::string>& containers, const std::vector<std::string>& init_containers = {}) {
    json pod = json::object();
    for (const auto& resources : containers)
        pod["spec"]["containers"].push_back({{"name", "app"}, {"resources", json::parse(resources)}});
    for (const auto& resources : init_containers)
        pod["spec"]["initContainers"].push_back({{"name", "init"}, {"resources", json::parse(resources)}});
    return pod;
}

const std::string kGuaranteed =
    R"({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}})";

bool keeps_guaranteed(const json& pod) {
    const auto resources = build_resources(pod);
    EXPECT_TRUE(resources.contains("requests"));
    EXPECT_TRUE(!resources.contains("limits") || resources["limits"] == resources["requests"]);
    return resources.contains("limits");
}

TEST(Resources, are_small_requests_without_limits) {
    const auto usual = json::parse(R"({"requests": {"cpu": "10m", "memory": "16Mi"}})");
    EXPECT_EQ(build_resources(make_pod({"{}"})), usual);
    EXPECT_EQ(build_resources(make_pod({"null", R"({"limits": null})"})), usual);
    EXPECT_EQ(build_resources(make_pod({kGuaranteed, "{}"})), usual) << "one container is not Guaranteed";
    EXPECT_EQ(build_resources(make_pod({kGuaranteed}, {"{}"})), usual) << "one init container is not";
}

TEST(Resources, have_limits_that_equal_their_requests_where_the_pod_is_guaranteed) {
    EXPECT_TRUE(keeps_guaranteed(make_pod({kGuaranteed, kGuaranteed}, {kGuaranteed})));
    EXPECT_TRUE(keeps_guaranteed(make_pod({R"({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "1"}})"})))
        << "a request that is absent becomes the limit";
}

TEST(Resources, take_a_pod_for_burstable_that_lacks_a_limit) {
    for (const auto* resources :
         {R"({"limits": {"cpu": "1"}})", R"({"limits": {"memory": "1Gi"}})",
          R"({"requests": {"cpu": "1", "memory": "1Gi"}})",
          R"({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}})",
          R"({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"memory": "1G"}})",
          R"({"limits": {"cpu": "0", "memory": "1Gi"}})", R"({"limits": {"cpu": "x", "memory": "1Gi"}})",
          R"({"limits": {"cpu": [], "memory": "1Gi"}})"}) {
        EXPECT_FALSE(keeps_guaranteed(make_pod({resources}))) << resources;
    }
}

TEST(Resources, are_none_where_the_pod_has_its_own) {
    for (const auto* kind : {"limits", "requests"}) {
        auto pod = make_pod({kGuaranteed});
        pod["spec"]["resources"][kind]["cpu"] = "1";
        EXPECT_EQ(build_resources(pod), json::object()) << kind;
    }
    auto pod = make_pod({"{}"});
    pod["spec"]["resources"] = json::parse(R"({"limits": {}, "requests": null})");
    EXPECT_FALSE(build_resources(pod).empty());
}

TEST(Resources, do_not_look_at_the_sidecar_itself) {
    auto pod = make_pod({kGuaranteed}, {"{}"});
    pod["spec"]["initContainers"][0]["name"] = "cloud-valkey-proxy";
    EXPECT_TRUE(keeps_guaranteed(pod));
}

TEST(Quantity, reads_every_form) {
    EXPECT_EQ(parse_quantity("1"), 1.0L);
    EXPECT_EQ(parse_quantity("1.5"), 1.5L);
    EXPECT_EQ(parse_quantity(".5"), 0.5L);
    EXPECT_EQ(parse_quantity("1."), 1.0L);
    EXPECT_EQ(parse_quantity("64Mi"), 67108864.0L);
    EXPECT_EQ(parse_quantity("2E"), 2e18L);
    EXPECT_EQ(parse_quantity("12e3"), 12000.0L);
    EXPECT_EQ(parse_quantity("1E+3"), 1000.0L);
    EXPECT_EQ(parse_quantity("5e-1"), 0.5L);
}

TEST(Quantity, is_equal_in_every_form) {
    EXPECT_EQ(parse_quantity("100m"), parse_quantity("0.1"));
    EXPECT_EQ(parse_quantity("1500m"), parse_quantity("1.5"));
    EXPECT_EQ(parse_quantity("100000u"), parse_quantity("100m"));
    EXPECT_EQ(parse_quantity("100n"), parse_quantity("0.1u"));
    EXPECT_EQ(parse_quantity("1Gi"), parse_quantity("1073741824"));
    EXPECT_EQ(parse_quantity("1.5Gi"), parse_quantity("1536Mi"));
    EXPECT_EQ(parse_quantity("1k"), parse_quantity("1e3"));
    EXPECT_NE(parse_quantity("1G"), parse_quantity("1Gi"));
}

TEST(Quantity, refuses_what_is_none) {
    for (const auto* text :
         {"", "-1", "x", "1x", "1.2.3", "Mi", "1 Mi", "1mi", "1e", "1ee3", "1e99", ".", "1000000000000000000000000"}) {
        EXPECT_FALSE(parse_quantity(text)) << text;
    }
}

}  // namespace
}  // namespace cvp::op
