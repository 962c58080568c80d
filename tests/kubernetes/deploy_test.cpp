// deploy/: what is applied without helm, and without an operator.

#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/cli/manifest.hpp"
#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/emulator_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/made_file.hpp"
#include "tests/support/proxy_process.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr auto kHead =
    R"(# The operator, as the chart's defaults have it. Made from charts/cloud-valkey-proxy by a test: do not edit it.
#   kubectl apply -f crds/ -f deploy/install.yaml
# Put your registry before the two images: kubectl kustomize, sed, or the chart.
apiVersion: v1
kind: Namespace
metadata:
  name: cloud-valkey
  labels:
    pod-security.kubernetes.io/enforce: restricted
)";

/// CVP_UPDATE_GOLDEN=1 rewrites the file.
TEST(ChartAsOneFile, is_what_the_chart_renders) {
    int status = 0;
    const auto rendered = run_helm(
        {"template", "cloud-valkey-proxy", "--namespace=cloud-valkey", "--set=crds.enabled=false", "--skip-tests"},
        status);
    ASSERT_EQ(status, 0) << rendered;
    const auto file = kHead + rendered;
    EXPECT_EQ(differs_from_made("deploy/install.yaml", file, "CVP_UPDATE_GOLDEN"), "");
}

TEST(ChartAsOneFile, is_all_that_a_cluster_needs_besides_the_crds) {
    ensure_release_namespace();
    const auto answer = value_or_throw(
        control_plane().kubectl({"apply", "--dry-run=server", "--filename=" + source_path("crds").string(),
                                 "--filename=" + source_path("deploy/install.yaml").string()}));
    for (const auto* object : {"namespace/cloud-valkey", "deployment.apps/cloud-valkey-operator",
                               "mutatingwebhookconfiguration.admissionregistration.k8s.io/cloud-valkey-operator",
                               "validatingadmissionpolicybinding.admissionregistration.k8s.io/cloudvalkey-guard",
                               "clusterrolebinding.rbac.authorization.k8s.io/cloud-valkey-operator"})
        EXPECT_THAT(answer, HasSubstr(object));
}

/// The proxy's container of a manifest of deploy/.
json proxy_of(const std::string& file) {
    const auto objects = value_or_throw(op::read_manifests(read_source("deploy/" + file)));
    for (const auto& object : objects) {
        if (object["kind"] != "Deployment") continue;
        const auto& spec = object["spec"]["template"]["spec"];
        for (const auto* containers : {"initContainers", "containers"}) {
            if (!spec.contains(containers)) continue;
            for (const auto& container : spec[containers])
                if (container["name"] == "cloud-valkey-proxy") return container;
        }
    }
    throw std::runtime_error(file + " has no proxy");
}

class WithoutOperator : public testing::TestWithParam<std::string> {};

TEST_P(WithoutOperator, is_admitted_where_restricted_is_enforced) {
    const auto name_space = make_fresh_namespace("deploy");
    const auto kubectl = [&](std::vector<std::string> arguments) {
        arguments.push_back("--namespace=" + name_space);
        return value_or_throw(control_plane().kubectl(arguments));
    };
    kubectl({"label", "namespace", name_space, "pod-security.kubernetes.io/enforce=restricted"});
    kubectl({"apply", "--filename=" + source_path("deploy/" + GetParam()).string()});
    ApiSession api;
    EXPECT_TRUE(eventually([&] { return !api.get(pods_of(name_space))["items"].empty(); }))
        << kubectl({"get", "events"});
}

TEST_P(WithoutOperator, serves_what_its_variables_say) {
    const TempDir dir("cvp-deploy");
    const std::string instance = "projects/my-project/locations/us-central1/instances/my-valkey";
    const auto emulator =
        value_or_throw(EmulatorProcess::start(CVP_EMULATOR_BINARY, dir.path(), {"--instance=" + instance + ":valkey"}));
    dir.write("client-password", "hunter2");
    ProxyOptions options;
    options.binary = CVP_PROXY_BINARY;
    options.env = {"CVP_GOOGLE_API_BASE=" + emulator.rest_base(), "GCE_METADATA_HOST=" + emulator.metadata_host()};
    bool asks_for_password = false;
    const auto container = proxy_of(GetParam());
    for (const auto& variable : container["env"]) {
        auto value = variable["value"].get<std::string>();
        if (variable["name"] == "CVP_CLIENT_PASSWORD_FILE") {
            value = dir.path() / "client-password";
            asks_for_password = true;
        }
        options.env.push_back(variable["name"].get<std::string>() + "=" + value);
    }
    options.log_file = dir.path() / "proxy.log";
    const auto proxy = value_or_throw(ProxyProcess::start(options));
    const auto answer = [&](RespClient& client, const std::vector<std::string>& words) {
        const auto reply = client.command(words);
        return reply ? to_string(*reply) : to_string(reply.error());
    };
    EXPECT_TRUE(eventually([&] { return proxy.is_started(); }));
    auto client = value_or_throw(proxy.connect());
    if (asks_for_password) {
        EXPECT_THAT(answer(client, {"PING"}), HasSubstr("-NOAUTH"));
        EXPECT_EQ(answer(client, {"AUTH", "hunter2"}), "+OK");
    }
    EXPECT_EQ(answer(client, {"SET", "k", "v"}), "+OK") << tail_of(options.log_file);
}

INSTANTIATE_TEST_SUITE_P(Manifests, WithoutOperator, testing::Values("sidecar.yaml", "shared-proxy.yaml"),
                         [](const auto& parameter) { return parameter.index == 0 ? "sidecar" : "shared_proxy"; });

}  // namespace
}  // namespace cvp::test
