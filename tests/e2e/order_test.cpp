// Whatever comes first, it heals.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;

using Order = NodeTest;

std::string events_of(const std::string& name_space) {
    return kubectl(
        {"get", "events", "--namespace", name_space, "--output=jsonpath={range .items[*]}{.message}{\"\\n\"}{end}"});
}

TEST_F(Order, a_pod_before_its_connection_waits_and_starts_by_itself) {
    Application app(name_space(), unique("app"));
    EXPECT_TRUE(eventually([&] {
        return events_of(name_space()).find("configmap \"cloudvalkey-sessions\" not found") != std::string::npos;
    })) << events_of(name_space());
    connect();
    report(fmt::format("a pod that waited for its connection is ready {} ms after it", app.await_ready().count()));
    app.await_progress(10);
    EXPECT_THAT(app.faults(), testing::IsEmpty());
    EXPECT_EQ(app.restarts_of_sidecar(), 0);
}

TEST_F(Order, a_connection_before_its_pod) {
    connect();
    auto app = start_application();
    EXPECT_THAT(app.faults(), testing::IsEmpty());
}

TEST_F(Order, without_the_operator_pods_that_ask_are_refused_until_it_is_back) {
    connect();
    Application runs(name_space(), unique("runs"));
    runs.await_ready();
    scale_operator(0);
    const auto refused =
        try_kubectl({"create", "--namespace", name_space(), "--filename", "-"}, application_pod(unique("app")).dump());
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("failed calling webhook \"inject.cloudvalkey.dev\""));
    EXPECT_THAT(read_source("docs/troubleshooting.md"), HasSubstr("failed calling webhook \"inject.cloudvalkey.dev\""));

    // Those that do not ask are admitted, and those that run do not notice.
    ApplicationOptions bare;
    bare.connections = "";
    apply_manifest(name_space(), application_pod(unique("bare"), bare).dump());

    apply_manifest(name_space(), example("deployment.yaml"));
    EXPECT_TRUE(eventually([&] { return events_of(name_space()).find("inject.cloudvalkey.dev") != std::string::npos; }))
        << events_of(name_space());
    runs.await_progress(20);
    scale_operator(2);
    await_rollout(name_space(), "deployment/shop");
    EXPECT_THAT(runs.faults(), testing::IsEmpty());
    EXPECT_EQ(runs.restarts_of_sidecar(), 0);
    auto app = start_application();
    EXPECT_THAT(app.faults(), testing::IsEmpty());
}

}  // namespace
}  // namespace cvp::test
