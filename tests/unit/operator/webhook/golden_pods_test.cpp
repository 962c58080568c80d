#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/source_tree.hpp"
#include "tests/unit/operator/webhook/admission.hpp"

// tests/golden/pods/NAME.in.json is a pod as it is sent; NAME.out.json is what becomes of it: the pod as patched, or
// {"refused": message}, or {"untouched": reason}. CVP_UPDATE_GOLDEN=1 rewrites the out files: read the diff then.

namespace cvp::op {
namespace {

using nlohmann::json;

std::vector<std::string> golden_names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(cvp::test::source_path("tests/golden/pods"))) {
        const auto file = entry.path().filename().string();
        if (const auto suffix = file.find(".in.json"); suffix != std::string::npos)
            names.push_back(file.substr(0, suffix));
    }
    std::sort(names.begin(), names.end());
    return names;
}

const InjectionConfig kConfig{
    .version = "1.2.3", .proxy_image = "registry.example/cloud-valkey-proxy:1.2.3", .image_pull_secrets = {}};

json outcome_of(const json& pod) {
    const auto mutation = mutate(test::make_review(pod).dump(), kConfig).value();
    if (mutation.result == "refused") return {{"refused", test::refusal_of(pod)}};
    if (mutation.result == "untouched") return {{"untouched", mutation.reason}};
    return test::patched(pod, kConfig);
}

TEST(GoldenPods, become_what_is_written) {
    const auto names = golden_names();
    ASSERT_GE(names.size(), 34U);
    for (const auto& name : names) {
        const auto base = "tests/golden/pods/" + name;
        const auto outcome = outcome_of(json::parse(cvp::test::read_source(base + ".in.json")));
        if (std::getenv("CVP_UPDATE_GOLDEN") != nullptr)
            std::ofstream(cvp::test::source_path(base + ".out.json")) << outcome.dump(2) << '\n';
        EXPECT_EQ(outcome.dump(2), json::parse(cvp::test::read_source(base + ".out.json")).dump(2)) << base;
        if (!outcome.contains("spec")) continue;
        EXPECT_EQ(outcome_of(outcome), json({{"untouched", "AlreadyInjected"}})) << base;
    }
}

}  // namespace
}  // namespace cvp::op
