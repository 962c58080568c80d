// podrun on a real API server: that it does what a kubelet does for the sidecar of a pod. The "proxy" is a script, so
// that only podrun is under test.

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/environment.hpp"
#include "tests/support/process.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;

/// Tells what it sees; answers the probe; ends on SIGTERM.
constexpr auto kScript = R"sh(#!/bin/sh
config=/etc/cloudvalkey/sessions/connection.yaml
if [ "$1" = probe ]; then
  test "$(cat $config)" != "not yet"
  exit
fi
echo "arguments: $*; user: $(id -u); admin: $CVP_ADMIN_LISTEN; extra: $EXTRA"
echo "token directory: [$(ls -A /var/run/secrets/kubernetes.io/serviceaccount)]"
trap 'echo bye; exit 0' TERM
seen=
while :; do
  now=$(cat $config)
  [ "$now" = "$seen" ] || echo "config: $now; password: $(cat /etc/cloudvalkey/sessions/password 2>&1)"
  seen=$now
  sleep 0.02
done
)sh";

constexpr auto kPod = R"({
  "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
  "spec": {
    "containers": [{"name": "app", "image": "app:1", "env": [{"name": "FROM_POD", "value": "yes"}]}],
    "initContainers": [{
      "name": "cloud-valkey-proxy", "image": "proxy:1", "command": ["/cloud-valkey-proxy"],
      "args": ["--connection=sessions:6379"], "restartPolicy": "Always",
      "env": [{"name": "CVP_ADMIN_LISTEN", "value": ":9379"}],
      "startupProbe": {"exec": {"command": ["/cloud-valkey-proxy", "probe"]}, "periodSeconds": 1, "timeoutSeconds": 3,
                       "failureThreshold": 120},
      "volumeMounts": [
        {"name": "cloudvalkey-sessions", "mountPath": "/etc/cloudvalkey/sessions", "readOnly": true},
        {"name": "cloudvalkey-empty", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}]}],
    "volumes": [
      {"name": "cloudvalkey-empty", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
      {"name": "cloudvalkey-sessions", "projected": {"sources": [
        {"configMap": {"name": "cloudvalkey-sessions", "items": [{"key": "connection.yaml", "path": "connection.yaml"}]}},
        {"secret": {"name": "cloudvalkey-sessions", "optional": true,
                    "items": [{"key": "password", "path": "password"}]}}]}}]}})";

class PodRun : public testing::Test {
protected:
    PodRun() {
        script_ = dir_.write("proxy.sh", kScript);
        fs::permissions(script_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::group_read |
                                     fs::perms::others_exec | fs::perms::others_read);
    }
    ~PodRun() override {
        if (podrun_) podrun_->stop();
        if (HasFailure())
            std::cerr << tail_of(dir_.path() / "podrun.log", 40) << tail_of(dir_.path() / "sidecar.log", 40);
    }

    std::string kubectl(std::vector<std::string> arguments, const std::string& input = {}) {
        arguments.push_back("--namespace=" + name_space_);
        auto result = control_plane().kubectl(arguments, input);
        EXPECT_TRUE(result) << result.error().context;
        return result ? *result : "";
    }
    void make_pod() { kubectl({"create", "--filename=-"}, kPod); }
    void write_config(const std::string& content) {
        kubectl({"apply", "--filename=-"}, R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name":
            "cloudvalkey-sessions"}, "data": {"connection.yaml": ")" +
                                               content + "\"}}");
    }
    ProcessOptions options(const std::vector<std::string>& app = {}) {
        ProcessOptions made;
        made.argv = {CVP_PODRUN,
                     "--kubeconfig",
                     control_plane().admin_kubeconfig(),
                     "--namespace=" + name_space_,
                     "--pod=web",
                     "--image=proxy:1=" + script_.string(),
                     "--env=EXTRA=more",
                     "--log",
                     dir_.path() / "sidecar.log"};
        if (!app.empty()) made.argv.push_back("--");
        made.argv.insert(made.argv.end(), app.begin(), app.end());
        made.log_file = dir_.path() / "podrun.log";
        return made;
    }
    void start(const std::vector<std::string>& app = {}) {
        auto started = Process::start(options(app));
        ASSERT_TRUE(started) << started.error().context;
        podrun_.emplace(std::move(*started));
    }
    void wait_for(const std::string& condition) {
        kubectl({"wait", "pod/web", "--for=jsonpath={.status." + condition, "--timeout=20s"});
    }
    void wait_until_started() { wait_for("initContainerStatuses[0].started}=true"); }
    std::string logged(const std::string& name) const { return read_file(dir_.path() / name); }
    /// Waits until the sidecar's log holds `text`.
    bool says(const std::string& text) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < deadline) {
            if (logged("sidecar.log").find(text) != std::string::npos) return true;
            if (!podrun_ || podrun_->wait(20ms)) break;
        }
        return logged("sidecar.log").find(text) != std::string::npos;
    }

    std::string name_space_ = make_fresh_namespace("podrun");
    TempDir dir_;
    fs::path script_;
    std::optional<Process> podrun_;
};

TEST_F(PodRun, holds_the_sidecar_until_its_config_map_is_there) {
    start();
    make_pod();
    wait_for(R"(initContainerStatuses[0].state.waiting.message}=volume cloudvalkey-sessions: configmap ")" +
             name_space_ + R"(/cloudvalkey-sessions" not found)");
    EXPECT_EQ(kubectl({"get", "pod/web", "--output=jsonpath={.status.phase}"}), "Pending");
    EXPECT_EQ(logged("sidecar.log"), "");
    write_config("first");
    wait_until_started();
    EXPECT_EQ(kubectl({"get", "pod/web", "--namespace=podrun",
                       "--output=jsonpath={.status.phase} {.status.podIP} {.status.initContainerStatuses[0].ready} "
                       "{.status.initContainerStatuses[0].restartCount}"}),
              "Running 127.0.0.1 true 0");
}

TEST_F(PodRun, shows_the_sidecar_the_pods_own_paths_and_the_host_nothing) {
    write_config("first");
    make_pod();
    start();
    wait_until_started();
    ASSERT_TRUE(says("config: first"));
    EXPECT_THAT(logged("sidecar.log"),
                HasSubstr("arguments: --connection=sessions:6379; user: 65532; admin: :9379; extra: more\n"));
    EXPECT_THAT(logged("sidecar.log"), HasSubstr("token directory: []\n"));
    EXPECT_THAT(logged("sidecar.log"), HasSubstr("No such file")) << "the optional Secret is not there";
    EXPECT_FALSE(fs::exists("/etc/cloudvalkey"));
    EXPECT_FALSE(fs::exists("/cloud-valkey-proxy"));
    EXPECT_FALSE(fs::exists("/mnt/etc"));
}

TEST_F(PodRun, starts_nothing_before_the_probe_succeeds_and_follows_changes_without_a_restart) {
    write_config("not yet");
    make_pod();
    start();
    wait_for("initContainerStatuses[0].state.running}");
    EXPECT_EQ(kubectl({"get", "pod/web", "--namespace=podrun",
                       "--output=jsonpath={.status.initContainerStatuses[0].started}"}),
              "false");
    write_config("second");
    wait_until_started();
    ASSERT_TRUE(says("config: second"));
    kubectl({"create", "secret", "generic", "cloudvalkey-sessions", "--from-literal=password=p-1"});
    write_config("third");
    ASSERT_TRUE(says("config: third"));
    write_config("fourth");
    EXPECT_TRUE(says("config: fourth; password: p-1"));
    kubectl({"delete", "configmap/cloudvalkey-sessions"});
    EXPECT_TRUE(podrun_->is_running());
    EXPECT_EQ(kubectl({"get", "pod/web", "--namespace=podrun",
                       "--output=jsonpath={.status.initContainerStatuses[0].restartCount}"}),
              "0");
}

TEST_F(PodRun, restarts_the_sidecar_and_counts) {
    write_config("first");
    make_pod();
    start();
    wait_until_started();
    const auto log = logged("podrun.log");
    const auto pid = static_cast<pid_t>(std::stol(log.substr(log.find("pid=") + 4)));
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    wait_for("initContainerStatuses[0].restartCount}=1");
    wait_until_started();
    EXPECT_EQ(kubectl({"get", "pod/web", "--namespace=podrun",
                       "--output=jsonpath={.status.initContainerStatuses[0].lastState.terminated.exitCode}"}),
              "137");
}

TEST_F(PodRun, stops_the_sidecar_when_it_is_told) {
    write_config("first");
    make_pod();
    start();
    wait_until_started();
    ASSERT_TRUE(says("config: first"));
    EXPECT_EQ(podrun_->stop(), 0);
    EXPECT_THAT(logged("sidecar.log"), HasSubstr("bye\n"));
}

TEST_F(PodRun, ends_when_the_pod_is_deleted) {
    write_config("first");
    make_pod();
    start();
    wait_until_started();
    ASSERT_TRUE(says("config: first"));
    kubectl({"delete", "pod/web"});
    EXPECT_EQ(podrun_->wait(10s), 0);
    EXPECT_THAT(logged("sidecar.log"), HasSubstr("bye\n"));
}

TEST_F(PodRun, runs_an_application_once_the_sidecar_started_and_ends_with_it) {
    write_config("first");
    make_pod();
    start({"sh", "-c", "echo app sees $FROM_POD and $(cat /etc/cloudvalkey/sessions/connection.yaml); exit 3"});
    EXPECT_EQ(podrun_->wait(20s), 3);
    EXPECT_THAT(logged("podrun.log"), HasSubstr("app sees yes and first\n"));
    EXPECT_THAT(logged("sidecar.log"), HasSubstr("bye\n"));
    EXPECT_EQ(kubectl({"get", "pod/web", "--output=jsonpath={.status.phase}"}), "Failed");
}

TEST_F(PodRun, says_what_it_needs_without_the_right_to_mount) {
    write_config("first");
    make_pod();
    auto confined = options();
    confined.argv.insert(confined.argv.begin(), {"setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"});
    auto started = Process::start(confined);
    ASSERT_TRUE(started) << started.error().context;
    EXPECT_EQ(started->wait(10s), 69);
    EXPECT_THAT(logged("podrun.log"), HasSubstr("run it as root"));
}

}  // namespace
}  // namespace cvp::test
