#include "tests/e2e/fixture.hpp"

#include <regex>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/e2e/cloud.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

constexpr auto kOperator = "deployment/cloud-valkey-operator";

}  // namespace

NodeTest::NodeTest(const std::string& labels) : labels_(labels) {}

void NodeTest::SetUp() {
    static int count = 0;
    name_space_ = fmt::format("e2e-{}-{}", getpid(), ++count);
    kubectl({"apply", "--filename", "-"},
            fmt::format("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}, labels: {}}}\n", name_space_, labels_));
    // Until it is there, no pod is admitted.
    await(name_space_, "serviceaccount/default", "create");
}

void NodeTest::TearDown() {
    if (HasFailure()) {
        const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
        ProcessOptions options;
        options.argv = {source_path("tests/e2e/collect.sh").string(),
                        std::string(test->test_suite_name()) + "." + test->name(), name_space_};
        const auto collected = run_command(std::move(options), {}, std::chrono::minutes(2));
        EXPECT_TRUE(collected && collected->status == 0) << (collected ? collected->err : collected.error().context);
    }
    kubectl({"delete", "namespace", name_space_, "--wait=false"});
}

void NodeTest::connect() {
    apply_manifest(name_space_, sessions_manifest());
    await(name_space_, "valkeyconnection/sessions", "condition=Ready");
}

Application NodeTest::start_application(const ApplicationOptions& options) {
    Application app(name_space_, unique("app"), options);
    app.await_ready();
    app.await_progress(10);
    return app;
}

std::string sessions_manifest() {
    return fmt::format(R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {{name: sessions}}
spec: {{instance: {{memorystoreValkey: {{name: {}}}}}}}
)",
                       kShortName);
}

std::string example(const std::string& file) {
    static const std::regex image("valkey/valkey:8\\.0");
    return std::regex_replace(read_source("examples/workloads/" + file), image, kAppImage);
}

void scale_operator(int replicas) {
    kubectl({"scale", kOperator, "--namespace=cloud-valkey", "--replicas=" + std::to_string(replicas)});
    if (replicas > 0) return await_rollout("cloud-valkey", kOperator);
    kubectl({"wait", "pod", "--namespace=cloud-valkey", "--selector=app.kubernetes.io/component=operator",
             "--for=delete", "--timeout=60s"});
}

}  // namespace cvp::test
