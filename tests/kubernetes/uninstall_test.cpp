// Leaving: whoever removes the product, in whatever order, is left with a cluster that works.

#include <algorithm>
#include <csignal>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/async/task_group.hpp"
#include "operator/cluster_objects.hpp"
#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/real_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string kRegistration = "/apis/admissionregistration.k8s.io/v1/";

/// How long pods that ask may be refused after the product is gone.
constexpr auto kGrace = 30s;

class Uninstall : public RealClientTest {
protected:
    Uninstall() : RealClientTest("uninstall"), operator_namespace_(make_fresh_namespace("release")) {}
    ~Uninstall() override {
        (void)control_plane().kubectl({"delete", "--ignore-not-found",
                                       "clusterrole,clusterrolebinding,"
                                       "mutatingwebhookconfiguration",
                                       "cloud-valkey-operator"});
        (void)control_plane().kubectl({"delete", "--ignore-not-found",
                                       "validatingadmissionpolicy,validatingadmissionpolicybinding",
                                       "cloudvalkey-guard", "cloudvalkey-hint"});
        (void)control_plane().kubectl({"delete", "--ignore-not-found",
                                       "mutatingadmissionpolicy,mutatingadmissionpolicybinding", "cloudvalkey-inject"});
    }

    static constexpr auto kWebhookMode = "injection.mode=Webhook";
    static constexpr auto kPolicyMode = "injection.mode=Policy";

    /// Those that this API server can do.
    std::vector<const char*> modes() {
        return has_mutating_policies(session_) ? std::vector{kWebhookMode, kPolicyMode} : std::vector{kWebhookMode};
    }

    /// Installs the chart as a release; nobody answers its webhook.
    void install(const std::string& values) {
        run_helm_on_cluster({"install", "product", source_path("charts/cloud-valkey-proxy"),
                             "--namespace=" + operator_namespace_, "--set=crds.enabled=false," + values});
        ASSERT_TRUE(eventually([&] { return asking_is(values == kWebhookMode ? "refused" : "injected"); }));
    }

    json make_pod(bool asks) const {
        json pod = json::parse(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop"},
            "spec": {"containers": [{"name": "app", "image": "app:1"}]}})");
        if (asks) pod["metadata"]["annotations"]["cloudvalkey.dev/connections"] = "sessions";
        return pod;
    }
    json dry_run(const json& pod) { return session_.create(pods_of(name_space_) + "?dryRun=All", pod); }

    /// What becomes of a pod that asks: "refused", "injected" or "bare".
    bool asking_is(const std::string& expected) {
        const auto answer = dry_run(make_pod(true));
        if (answer["kind"] != "Pod") return expected == "refused";
        return expected == (answer["spec"].contains("initContainers") ? "injected" : "bare");
    }
    void expect_plain_pods_are_free() {
        const auto answer = dry_run(make_pod(false));
        EXPECT_EQ(answer["kind"], "Pod") << answer;
    }
    /// Waits until pods that ask are free, and looks at the others all the while.
    void expect_pods_become_free() {
        const auto is_free = [this] {
            expect_plain_pods_are_free();
            return asking_is("bare");
        };
        EXPECT_TRUE(eventually(is_free, kGrace));
    }

    /// Our objects outside namespaces that can refuse a pod.
    std::vector<std::string> admission_objects() {
        std::vector<std::string> found;
        std::vector<std::string> kinds = {"mutatingwebhookconfigurations", "validatingwebhookconfigurations",
                                          "validatingadmissionpolicies", "validatingadmissionpolicybindings"};
        if (has_mutating_policies(session_))
            kinds.insert(kinds.end(), {"mutatingadmissionpolicies", "mutatingadmissionpolicybindings"});
        for (const auto& plural : kinds) {
            const auto list = session_.get(kRegistration + plural);
            for (const auto& item : list["items"])
                found.push_back(plural + ("/" + item["metadata"]["name"].get<std::string>()));
        }
        return found;
    }

    /// Ties the cluster's objects to the operator's namespace, with the rights that the chart gives.
    void tie(std::size_t expected) {
        const auto file =
            control_plane().write_kubeconfig_of_service_account(operator_namespace_, "cloud-valkey-operator");
        ASSERT_TRUE(file) << file.error().context;
        const auto api = connect(*file);
        op::ClusterObjects objects(*api, operator_namespace_, 100ms);
        TaskGroup tasks(io_);
        tasks.spawn("cluster objects", objects.run());
        EXPECT_TRUE(run_until(io_, [&] { return count_tied() == expected; })) << count_tied();
        objects.stop();
        EXPECT_TRUE(run(io_, tasks.join(SteadyClock::now() + 5s)));
    }
    std::size_t count_tied() {
        const auto objects = admission_objects();
        return static_cast<std::size_t>(std::count_if(objects.begin(), objects.end(), [this](const auto& object) {
            return session_.get(kRegistration + object)["metadata"].contains("ownerReferences");
        }));
    }

    /// Starts the operator's own binary as the chart's ServiceAccount, deletes its namespace once it has tied the
    /// objects, and expects them gone.
    void run_operator_until_tied(const std::vector<std::string>& flags, std::size_t expected) {
        const TempDir dir("cvp-uninstall");
        const auto file =
            control_plane().write_kubeconfig_of_service_account(operator_namespace_, "cloud-valkey-operator");
        ASSERT_TRUE(file) << file.error().context;
        ProcessOptions options;
        options.argv = {CVP_OPERATOR_BINARY, "--kubeconfig=" + file->string()};
        options.argv.insert(options.argv.end(), flags.begin(), flags.end());
        for (const auto* port : {"webhook", "metrics", "probe"})
            options.argv.push_back(std::string("--") + port + "-port=" + std::to_string(free_port().value()));
        options.env = {"GCE_METADATA_HOST=127.0.0.1:1"};
        options.log_file = dir.path() / "operator.log";
        auto running = Process::start(options);
        ASSERT_TRUE(running) << running.error().context;
        ASSERT_TRUE(eventually([&] { return count_tied() == expected; })) << tail_of(options.log_file);
        ASSERT_TRUE(control_plane().kubectl({"delete", "namespace", operator_namespace_, "--wait=false"}));
        expect_pods_become_free();
        EXPECT_TRUE(eventually([&] { return admission_objects().empty(); }, kGrace));
        running->stop(20s, SIGINT);
    }

    const std::string operator_namespace_;
    ApiSession session_;
};

TEST_F(Uninstall, by_helm_leaves_nothing_that_looks_at_pods) {
    for (const auto* mode : modes()) {
        install(mode);
        expect_plain_pods_are_free();
        run_helm_on_cluster({"uninstall", "product", "--namespace=" + operator_namespace_});
        expect_pods_become_free();
        EXPECT_THAT(admission_objects(), testing::IsEmpty());
        const auto left = control_plane().kubectl(
            {"get", "clusterrole,clusterrolebinding,role,rolebinding,deployment,service,serviceaccount,pdb",
             "--all-namespaces", "--selector=app.kubernetes.io/instance=product", "--output=name"});
        EXPECT_EQ(left.value_or("?"), "") << mode;
    }
}

TEST_F(Uninstall, in_any_order_never_touches_a_plain_pod) {
    std::minstd_rand random(20261124);
    for (const auto* mode : modes()) {
        for (int round = 0; round < 3; ++round) {
            install(mode);
            const auto manifest =
                run_helm_on_cluster({"get", "manifest", "product", "--namespace=" + operator_namespace_});
            std::vector<std::string> documents;
            for (std::size_t begin = 0; begin < manifest.size();) {
                const auto end = std::min(manifest.find("\n---\n", begin), manifest.size());
                if (manifest.substr(begin, end - begin).find("kind:") != std::string::npos)
                    documents.push_back(manifest.substr(begin, end - begin));
                begin = end + 5;
            }
            ASSERT_GE(documents.size(), 11U);
            std::shuffle(documents.begin(), documents.end(), random);
            for (const auto& document : documents) {
                const auto removed =
                    control_plane().kubectl({"delete", "--namespace=" + operator_namespace_, "--filename=-"}, document);
                EXPECT_TRUE(removed) << removed.error().context;
                expect_plain_pods_are_free();
            }
            expect_pods_become_free();
            EXPECT_THAT(admission_objects(), testing::IsEmpty());
            run_helm_on_cluster({"uninstall", "product", "--namespace=" + operator_namespace_});
        }
    }
}

TEST_F(Uninstall, deleting_the_namespace_takes_the_webhook_along) {
    install(kWebhookMode);
    tie(5);
    ASSERT_TRUE(control_plane().kubectl({"delete", "namespace", operator_namespace_, "--wait=false"}));
    expect_pods_become_free();
    EXPECT_TRUE(eventually([&] { return admission_objects().empty(); }, kGrace));
}

TEST_F(Uninstall, deleting_the_namespace_takes_the_policy_along) {
    if (!has_mutating_policies(session_)) GTEST_SKIP() << "this API server has no MutatingAdmissionPolicy";
    install(kPolicyMode);
    tie(6);
    ASSERT_TRUE(control_plane().kubectl({"delete", "namespace", operator_namespace_, "--wait=false"}));
    expect_pods_become_free();
    EXPECT_TRUE(eventually([&] { return admission_objects().empty(); }, kGrace));
}

TEST_F(Uninstall, the_running_operator_leaves_with_its_namespace) {
    install(kWebhookMode);
    run_operator_until_tied({"--proxy-image=proxy:1"}, 5);
}

TEST_F(Uninstall, the_running_operator_of_policy_mode_leaves_with_its_namespace) {
    if (!has_mutating_policies(session_)) GTEST_SKIP() << "this API server has no MutatingAdmissionPolicy";
    install(kPolicyMode);
    run_operator_until_tied({"--injection-mode=Policy"}, 6);
}

TEST_F(Uninstall, does_not_wait_for_a_namespace_that_takes_its_time) {
    install(kWebhookMode);
    auto pod = make_pod(false);
    pod["metadata"]["finalizers"] = {"example.com/hold"};
    ASSERT_EQ(session_.create(pods_of(operator_namespace_), pod)["kind"], "Pod");
    const auto file = control_plane().write_kubeconfig_of_service_account(operator_namespace_, "cloud-valkey-operator");
    const auto api = connect(file.value());
    op::ClusterObjects objects(*api, operator_namespace_, 1h);
    TaskGroup tasks(io_);
    tasks.spawn("cluster objects", objects.run());
    ASSERT_TRUE(run_until(io_, [&] { return count_tied() == 5; }));

    ASSERT_TRUE(control_plane().kubectl({"delete", "namespace", operator_namespace_, "--wait=false"}));
    objects.stop();
    EXPECT_TRUE(run(io_, tasks.join(SteadyClock::now() + 5s)));
    EXPECT_THAT(admission_objects(), testing::IsEmpty());
    EXPECT_TRUE(call(api_->get(op::namespaces(operator_namespace_)))) << "it is still there";
    expect_pods_become_free();
    const auto released = session_.send("PATCH", pods_of(operator_namespace_) + "/shop",
                                        R"({"metadata": {"finalizers": null}})", "application/merge-patch+json");
    EXPECT_EQ(released.status, 200U) << released.body;
}

TEST_F(Uninstall, an_upgrade_by_helm_keeps_the_ties) {
    install(kWebhookMode);
    tie(5);
    run_helm_on_cluster({"upgrade", "product", source_path("charts/cloud-valkey-proxy"),
                         "--namespace=" + operator_namespace_, "--set=crds.enabled=false,webhook.port=9443",
                         "--set=hint.enabled=false"});
    EXPECT_EQ(count_tied(), 3U);
    EXPECT_EQ(admission_objects().size(), 3U);
}

TEST_F(Uninstall, a_connection_can_be_deleted_without_an_operator) {
    install(kWebhookMode);
    run_helm_on_cluster({"uninstall", "product", "--namespace=" + operator_namespace_});
    json connection = json::parse(R"({"apiVersion": "cloudvalkey.dev/v1alpha1", "kind": "ValkeyConnection",
        "metadata": {"name": "sessions"}, "spec": {"instance": {"memorystoreValkey": {"name": "my-valkey"}}}})");
    const auto path = op::valkey_connections(name_space_, "sessions");
    ASSERT_TRUE(call(api_->create(path, connection)));
    ASSERT_TRUE(call(api_->remove(path)));
    EXPECT_TRUE(eventually([&] { return !call(api_->get(path)); })) << "nothing may hold it";
    ASSERT_TRUE(call(api_->create(path, connection)));
    const auto deleted = control_plane().kubectl({"delete", "namespace", name_space_, "--timeout=50s"});
    EXPECT_TRUE(deleted) << deleted.error().context;
}

}  // namespace
}  // namespace cvp::test
