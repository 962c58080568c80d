// What changes under a running pod reaches it, without a restart.

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/e2e/cloud.hpp"
#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/read_file.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// kubelet looks every 10 s here, a user's every minute; twice that and what lies before and after it.
constexpr auto kPropagation = 60s;

/// Measures from its making on.
class Watch {
public:
    long long milliseconds() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_).count();
    }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

class Changes : public NodeTest {
protected:
    std::string document() {
        return find_object(name_space(), "configmap/cloudvalkey-sessions").at("data").at("connection.yaml");
    }
    static double documents_taken_by(const Application& app) {
        return app.metric("cloudvalkey_proxy_config_generation");
    }

    /// Lets the operator look at once, and waits until the pod's sidecar has what it found.
    /// @param what changed, for the report
    void follow(const Application& app, const std::string& what) {
        const auto taken = documents_taken_by(app);
        const auto before = document();
        const Watch watch;
        kubectl({"annotate", "vkc", "sessions", "--namespace", name_space(), "cloudvalkey.dev/refresh=now"});
        EXPECT_TRUE(eventually([&] { return document() != before; }));
        const auto resolved = watch.milliseconds();
        EXPECT_TRUE(eventually([&] { return documents_taken_by(app) > taken; }, kPropagation));
        const auto followed = watch.milliseconds();
        app.await_progress(20);
        report(fmt::format("{}: in the ConfigMap after {} ms, in the pod's sidecar {} ms later", what, resolved,
                           followed - resolved));
        EXPECT_EQ(app.restarts_of_sidecar(), 0);
        EXPECT_EQ(app.compare_with_server(), "");
    }
};

TEST_F(Changes, the_instance_moves_and_a_running_pod_follows) {
    connect();
    auto app = start_application();
    tell_cloud("POST", std::string("instances/") + kInstance + ":move", json::object());
    follow(app, "the instance moved");
}

TEST_F(Changes, the_instances_ca_rotates_and_a_running_pod_follows_without_a_fault) {
    connect();
    auto app = start_application();
    tell_cloud("POST", std::string("instances/") + kInstance + ":rotateCa", {{"keepOld", true}});
    follow(app, "its CA rotated");
    // Only connections of today see the new certificate; the first one may be the spare from before.
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(app.run({"valkey-cli", "-e", "PING"}), "PONG\n");
    EXPECT_THAT(app.faults(), testing::IsEmpty());
}

/// The Valkey of the chart's `valkey.enabled`, and its connection and Secret in the namespace trial.
class Trial : public NodeTest {
protected:
    static constexpr auto kNamespace = "trial";

    /// A command of the server's administrator, who knows the first password.
    static void ask_trial(const std::string& words) {
        kubectl({"exec", "deployment/cloud-valkey-trial", "--namespace=cloud-valkey", "--", "sh", "-c",
                 "valkey-cli -e --tls --cacert /etc/valkey/ca.crt --user e2e --pass e2e " + words});
    }
    static void make_administrator() {
        kubectl({"exec", "deployment/cloud-valkey-trial", "--namespace=cloud-valkey", "--", "sh", "-c",
                 "valkey-cli -e --tls --cacert /etc/valkey/ca.crt --pass \"$(sed 's/requirepass //' "
                 "/etc/valkey/password.conf)\" ACL SETUSER e2e on '>e2e' '+@all'"});
    }
};

TEST_F(Trial, a_new_password_in_the_secret_reaches_running_pods) {
    await_rollout("cloud-valkey", "deployment/cloud-valkey-trial");
    apply_manifest(kNamespace, R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: trial}
spec: {instance: {endpoints: {addresses: ["cloud-valkey-trial.cloud-valkey.svc:6379"]}}}
)");
    ApplicationOptions options;
    options.connections = "trial";
    Application app(kNamespace, unique("app"), options);
    app.await_ready();
    app.await_progress(10);
    const auto password = std::filesystem::path("/proc") /
                          std::to_string(process_of(app.pod(), "/cloud-valkey-proxy")) /
                          "root/etc/cloudvalkey/trial/password";
    const auto old = read_file(password);
    ASSERT_NE(old, "");

    make_administrator();
    ask_trial("ACL SETUSER default '>another-password'");
    const Watch watch;
    kubectl({"patch", "secret", "cloudvalkey-trial", "--namespace", kNamespace, "--patch",
             json{{"stringData", {{"password", "another-password"}}}}.dump()});
    EXPECT_TRUE(eventually([&] { return read_file(password) == "another-password"; }, kPropagation));
    ask_trial("ACL SETUSER default '<" + old + "'");
    // The first one may get the spare that was logged in before.
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(app.run({"valkey-cli", "-e", "PING"}), "PONG\n");
    report(fmt::format("a new password in the Secret: new connections use it after {} ms", watch.milliseconds()));
    app.await_progress(20);
    EXPECT_EQ(app.restarts_of_sidecar(), 0);
    EXPECT_THAT(app.faults(), testing::IsEmpty());
    kubectl({"delete", "pod", app.name(), "--namespace", kNamespace});
}

}  // namespace
}  // namespace cvp::test
