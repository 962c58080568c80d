// The node's own processes are restarted under running pods.

#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"

namespace cvp::test {
namespace {

class Restarts : public NodeTest {
protected:
    /// Restarts a process of the node, and expects that a running pod lives on and that new ones start.
    void survive(const std::string& service) {
        connect();
        auto app = start_application();
        node_service("restart", service);
        Application later(name_space(), unique("later"));
        later.await_ready();
        later.await_progress(10);
        app.await_progress(20);
        app.await_ready();
        EXPECT_THAT(app.faults(), testing::IsEmpty());
        EXPECT_EQ(app.restarts_of_sidecar(), 0);
        EXPECT_EQ(status_of(app.pod(), "app").at("restartCount"), 0);
        EXPECT_EQ(app.compare_with_server(), "");
    }
};

TEST_F(Restarts, pods_and_sidecars_live_on_when_kubelet_is_restarted) {
    survive("kubelet");
}

TEST_F(Restarts, pods_and_sidecars_live_on_when_containerd_is_restarted) {
    survive("containerd");
}

}  // namespace
}  // namespace cvp::test
