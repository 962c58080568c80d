// The release is uninstalled under running pods. The last test of a run.

#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"

namespace cvp::test {
namespace {

using Leaving = NodeTest;

TEST_F(Leaving, pods_of_others_start_and_injected_ones_keep_running) {
    connect();
    auto app = start_application();
    helm({"uninstall", "cloud-valkey-proxy", "--namespace=cloud-valkey", "--wait"});
    ApplicationOptions bare;
    bare.connections = "";
    apply_manifest(name_space(), application_pod(unique("other"), bare).dump());
    await(name_space(), "pod/" + unique("other"), "jsonpath={.status.phase}=Running");
    app.await_progress(50);
    EXPECT_THAT(app.faults(), testing::IsEmpty());
    EXPECT_EQ(app.restarts_of_sidecar(), 0);
    EXPECT_EQ(app.compare_with_server(), "");
}

}  // namespace
}  // namespace cvp::test
