// The examples as a user applies them, in a namespace that enforces `restricted`: the pod that the API server stores
// for each is its golden file. CVP_UPDATE_GOLDEN=1 rewrites the files: read the diff then.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/running_webhook.hpp"
#include "tests/kubernetes/sample_pods.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

const std::string kExamples = "examples/workloads";

std::vector<std::string> example_names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(source_path(kExamples)))
        names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

void keep_only(json& object, const std::vector<std::string>& keys) {
    for (auto member = object.begin(); member != object.end();)
        member = std::find(keys.begin(), keys.end(), member.key()) == keys.end() ? object.erase(member) : ++member;
}

/// What an example and the webhook decide of a pod; what controllers and the API server's version add is left out.
json decided(json pod) {
    pod = without_chance(std::move(pod));
    keep_only(pod, {"metadata", "spec"});
    auto& metadata = pod["metadata"];
    keep_only(metadata, {"annotations", "labels"});
    for (auto& group : metadata) {
        for (auto member = group.begin(); member != group.end();)
            member = member.key().starts_with("cloudvalkey.dev/") ? ++member : group.erase(member);
    }
    keep_only(pod["spec"], {"containers", "initContainers", "volumes", "securityContext", "restartPolicy"});
    return pod;
}

class Examples : public testing::TestWithParam<std::string> {
protected:
    static void SetUpTestSuite() { webhook = std::make_unique<RunningWebhook>(); }
    static void TearDownTestSuite() { webhook.reset(); }

    std::string kubectl(std::vector<std::string> arguments) {
        arguments.push_back("--namespace=" + name_space_);
        const auto done = control_plane().kubectl(arguments);
        EXPECT_TRUE(done) << done.error().context;
        return done.value_or("");
    }

    static inline std::unique_ptr<RunningWebhook> webhook;
    const std::string name_space_ = make_fresh_namespace("example");
    ApiSession api_;
};

TEST_P(Examples, is_admitted_as_its_golden_file_says) {
    kubectl({"label", "namespace", name_space_, "pod-security.kubernetes.io/enforce=restricted"});
    const auto applied = kubectl(
        {"apply", "--filename=" + source_path(kExamples + "/" + GetParam() + ".yaml").string(), "--output=name"});
    EXPECT_EQ(applied.find("Warning"), std::string::npos) << applied;
    if (applied.starts_with("cronjob")) kubectl({"create", "job", "now", "--from=cronjob/sweep"});
    ASSERT_TRUE(eventually([&] { return !api_.get(pods_of(name_space_))["items"].empty(); }))
        << kubectl({"get", "events"});
    const auto pod = decided(api_.get(pods_of(name_space_))["items"][0]);
    const auto golden = source_path("tests/golden/examples/" + GetParam() + ".json");
    if (std::getenv("CVP_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(golden.parent_path());
        std::ofstream(golden) << pod.dump(2) << "\n";
    }
    ASSERT_TRUE(std::filesystem::exists(golden)) << golden;
    const auto expected = json::parse(read_source(golden));
    EXPECT_EQ(pod, expected) << json::diff(expected, pod).dump(2);
}

INSTANTIATE_TEST_SUITE_P(Workloads, Examples, testing::ValuesIn(example_names()), [](const auto& parameter) {
    auto name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace cvp::test
