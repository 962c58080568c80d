#include "tests/kubernetes/environment.hpp"

#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "tests/kubernetes/administrator.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {
namespace {

/// Starts the control plane before the first test and ends it after the last.
class ControlPlaneEnvironment : public testing::Environment {
public:
    void SetUp() override {
        dir_.emplace("cvp-kubernetes");
        ControlPlaneOptions options;
        options.dir = dir_->path();
        options.manifests = {source_path("crds")};
        auto started = ControlPlane::start(std::move(options));
        ASSERT_TRUE(started) << started.error().context;
        plane_.emplace(std::move(*started));
    }

    void TearDown() override {
        plane_.reset();
        dir_.reset();
    }

    ControlPlane& plane() { return plane_.value(); }

private:
    std::optional<TempDir> dir_;
    std::optional<ControlPlane> plane_;
};

// GoogleTest owns it.
auto* const environment = new ControlPlaneEnvironment;
[[maybe_unused]] const auto* const registered = testing::AddGlobalTestEnvironment(environment);

}  // namespace

std::filesystem::path admin_kubeconfig() {
    return control_plane().admin_kubeconfig();
}

ControlPlane& control_plane() {
    return environment->plane();
}

std::string make_fresh_namespace(const std::string& prefix) {
    static int count = 0;
    auto name = prefix + "-" + std::to_string(++count);
    const auto made = control_plane().make_namespace(name);
    EXPECT_TRUE(made) << made.error().context;
    return name;
}

}  // namespace cvp::test
