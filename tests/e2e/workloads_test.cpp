// Every kind of workload, from the examples' own manifests: the application's first instruction finds its Valkey.

#include <gmock/gmock.h>

#include "tests/e2e/cloud.hpp"
#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A Job's manifest: its container runs one line of shell, once.
std::string job_of(const std::string& name, const std::string& line) {
    const json container = {{"name", "app"}, {"image", kAppImage}, {"command", {"sh", "-c", line}}};
    const json pod_spec = {{"restartPolicy", "Never"}, {"containers", {container}}};
    const json pod = {{"metadata", {{"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}}},
                      {"spec", pod_spec}};
    return json{{"apiVersion", "batch/v1"},
                {"kind", "Job"},
                {"metadata", {{"name", name}}},
                {"spec", {{"backoffLimit", 0}, {"template", pod}}}}
        .dump();
}

class Workloads : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        connect();
    }

    json pod_of(const std::string& selector) {
        return json::parse(
                   kubectl({"get", "pods", "--namespace", name_space(), "--selector", selector, "--output=json"}))
            .at("items")
            .at(0);
    }

    /// What the container of a workload printed first, and that nothing of the pod was started twice.
    std::string first_line(const std::string& selector) {
        const auto pod = pod_of(selector);
        EXPECT_EQ(status_of(pod, "app").at("restartCount"), 0);
        EXPECT_EQ(status_of(pod, "cloud-valkey-proxy").at("restartCount"), 0);
        const auto name = pod.at("metadata").at("name").get<std::string>();
        std::string printed;
        eventually([&] {
            printed = kubectl({"logs", name, "--namespace", name_space(), "--container=app"});
            return printed.find('\n') != std::string::npos;
        });
        return printed.substr(0, printed.find('\n'));
    }

    /// Waits for a Job's end and expects how its two containers ended.
    void expect_end_of_job(const std::string& name, const std::string& condition, int app, int sidecar) {
        await(name_space(), "job/" + name, "condition=" + condition);
        const auto pod = pod_of("job-name=" + name);
        EXPECT_EQ(status_of(pod, "app").at("state").at("terminated").at("exitCode"), app);
        EXPECT_EQ(status_of(pod, "cloud-valkey-proxy").at("state").at("terminated").at("exitCode"), sidecar);
        EXPECT_EQ(status_of(pod, "cloud-valkey-proxy").at("restartCount"), 0);
    }
};

TEST_F(Workloads, a_deployment_counts_from_its_first_instruction_on) {
    apply_manifest(name_space(), example("deployment.yaml"));
    await_rollout(name_space(), "deployment/shop");
    EXPECT_THAT(first_line("app=shop"), testing::MatchesRegex("[0-9]+"));
}

TEST_F(Workloads, a_stateful_set_writes_its_own_stream) {
    apply_manifest(name_space(), example("statefulset.yaml"));
    await_rollout(name_space(), "statefulset/worker");
    EXPECT_THAT(first_line("app=worker"), testing::MatchesRegex("[0-9]+-[0-9]+"));
    EXPECT_GE(ask_valkey({"XLEN", "worker-0"}), 1);
}

TEST_F(Workloads, a_daemon_set_counts_on_its_node) {
    auto set = example("deployment.yaml");
    const std::string kind = "kind: Deployment", replicas = "  replicas: 1\n";
    set.replace(set.find(kind), kind.size(), "kind: DaemonSet");
    set.erase(set.find(replicas), replicas.size());
    apply_manifest(name_space(), set);
    await_rollout(name_space(), "daemonset/shop");
    EXPECT_THAT(first_line("app=shop"), testing::MatchesRegex("[0-9]+"));
}

TEST_F(Workloads, a_job_completes_and_its_sidecar_ends) {
    apply_manifest(name_space(), example("job.yaml"));
    expect_end_of_job("warm-up", "Complete", 0, 0);
    EXPECT_EQ(ask_valkey({"GET", "warmed"}), "yes");
}

TEST_F(Workloads, a_job_that_fails_keeps_its_exit_code) {
    apply_manifest(name_space(), job_of("doomed", "valkey-cli -e -h 127.0.0.1 SET doomed yes && exit 3"));
    expect_end_of_job("doomed", "Failed", 3, 0);
    EXPECT_EQ(ask_valkey({"GET", "doomed"}), "yes");
}

TEST_F(Workloads, a_cron_jobs_job_is_made_by_hand) {
    ask_valkey({"SET", "stale", "yes"});
    apply_manifest(name_space(), example("cronjob.yaml"));
    kubectl({"create", "job", "now", "--from=cronjob/sweep", "--namespace", name_space()});
    expect_end_of_job("now", "Complete", 0, 0);
    EXPECT_EQ(ask_valkey({"EXISTS", "stale"}), 0);
}

TEST_F(Workloads, an_init_container_uses_valkey_before_the_application_starts) {
    auto pod = application_pod(unique("app"));
    pod["spec"]["initContainers"] = {{{"name", "migrate"},
                                      {"image", kAppImage},
                                      {"command", {"valkey-cli", "-e", "-h", "127.0.0.1", "SET", "migrated", "yes"}}}};
    apply_manifest(name_space(), pod.dump());
    await(name_space(), "pod/" + unique("app"), "condition=Ready");
    const auto made = find_object(name_space(), "pod/" + unique("app"));
    EXPECT_EQ(made.at("spec").at("initContainers").at(0).at("name"), "cloud-valkey-proxy");
    EXPECT_EQ(status_of(made, "migrate").at("state").at("terminated").at("exitCode"), 0);
    EXPECT_EQ(status_of(made, "migrate").at("restartCount"), 0);
    EXPECT_EQ(ask_valkey({"GET", "migrated"}), "yes");
}

TEST_F(Workloads, its_connections_and_pods_are_seen_at_one_glance) {
    apply_manifest(name_space(), example("deployment.yaml"));
    await_rollout(name_space(), "deployment/shop");
    std::string seen;
    EXPECT_TRUE(eventually([&] {
        seen = kubectl({"get", "pods,vkc", "--namespace", name_space()});
        return seen.find("1/1 ") != std::string::npos;
    })) << seen;
    EXPECT_THAT(seen, HasSubstr("2/2     Running"));
    report("$ kubectl get pods,vkc\n" + seen);
}

}  // namespace
}  // namespace cvp::test
