// The webhook's certificates on a real API server: what server-side apply, helm and a caBundle in use make of them.

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "common/async/task_group.hpp"
#include "common/crypto/base64.hpp"
#include "common/crypto/certificate.hpp"
#include "operator/certs/certificate_keeper.hpp"
#include "tests/kubernetes/admission_load.hpp"
#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/operator_fleet.hpp"
#include "tests/kubernetes/real_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string kConfiguration =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/cloud-valkey-operator";

/// A release of the chart by helm, and the keeper of its certificates with the rights that it gives.
class Certificates : public RealClientTest {
protected:
    Certificates() : RealClientTest("certificates") {
        helm({"install"}, "crds.enabled=false");
        const auto file = control_plane().write_kubeconfig_of_service_account(name_space_, "cloud-valkey-operator");
        EXPECT_TRUE(file) << file.error().context;
        keeper_api_ = connect(*file);
        keeper_.emplace(
            io_, *keeper_api_, name_space_, [this](const auto& leaf) { served_.push_back(leaf.certificate_pem); },
            op::CertificateOptions{1s, 2s, {}});
        keeper_->set_leader(true);
        tasks_.spawn("keeper", keeper_->run());
        EXPECT_TRUE(reaches([this] { return keeper_->is_trusted(); }));
    }
    ~Certificates() override {
        keeper_->stop();
        EXPECT_TRUE(run(io_, tasks_.join(SteadyClock::now() + 10s)));
        run_helm_on_cluster({"uninstall", "product", "--namespace=" + name_space_});
    }

    void helm(std::vector<std::string> command, const std::string& values) {
        command.insert(command.end(), {"product", source_path("charts/cloud-valkey-proxy"),
                                       "--namespace=" + name_space_, "--set=" + values});
        run_helm_on_cluster(command);
    }

    template <class Condition>
    bool reaches(Condition condition, SteadyClock::duration limit = 20s) {
        return run_until(io_, std::move(condition), limit);
    }

    std::string bundle() { return op::live_ca_bundle(session_.get(kConfiguration)); }
    json secret() { return session_.get("/api/v1/namespaces/" + name_space_ + "/secrets/cloud-valkey-operator-tls"); }

    ApiSession session_;
    std::unique_ptr<op::KubeClient> keeper_api_;
    std::vector<std::string> served_;
    std::optional<op::CertificateKeeper> keeper_;
    TaskGroup tasks_{io_};
};

TEST_F(Certificates, survive_upgrade_and_rollback_by_helm) {
    const auto before = bundle();
    const auto data = secret()["data"];
    ASSERT_FALSE(before.empty());
    keeper_->set_leader(false);  // so that nothing is repaired
    helm({"upgrade"}, "crds.enabled=false,webhook.port=9443");
    EXPECT_EQ(bundle(), before);
    run_helm_on_cluster({"rollback", "product", "1", "--namespace=" + name_space_});
    EXPECT_EQ(bundle(), before);
    EXPECT_EQ(secret()["data"], data);
}

TEST_F(Certificates, own_nothing_of_the_webhook_configuration_but_the_bundle) {
    const auto configuration = session_.get(kConfiguration);
    bool is_found = false;
    for (const auto& entry : configuration["metadata"]["managedFields"]) {
        if (entry["manager"] != "cloud-valkey-operator-ca") continue;
        is_found = true;
        EXPECT_EQ(entry["operation"], "Apply");
        EXPECT_EQ(entry["fieldsV1"], json::parse(R"({"f:webhooks": {"k:{\"name\":\"inject.cloudvalkey.dev\"}":
            {".": {}, "f:name": {}, "f:clientConfig": {"f:caBundle": {}}}}})"));
    }
    EXPECT_TRUE(is_found);
}

TEST_F(Certificates, are_back_in_a_wiped_or_altered_bundle_within_a_second) {
    const auto good = bundle();
    const auto foreign = op::make_webhook_ca(SystemClock::now()).value().certificate_pem;
    const auto good_and_foreign = good + foreign;
    for (const auto& altered : {std::string(), foreign, good_and_foreign}) {
        const json patch = json::array({{{"op", "replace"},
                                         {"path", "/webhooks/0/clientConfig/caBundle"},
                                         {"value", crypto::base64_encode(altered)}}});
        ASSERT_EQ(session_.send("PATCH", kConfiguration, patch.dump(), "application/json-patch+json").status, 200U);
        EXPECT_TRUE(reaches([&] { return bundle() == good; }, 1s)) << altered;
    }
    EXPECT_EQ(served_.size(), 1U) << "the same leaf all the while";
}

TEST_F(Certificates, leave_no_trace_of_a_rotation_but_that_it_was_heard) {
    const auto old = bundle();
    const auto annotated = control_plane().kubectl({"annotate", "secret/cloud-valkey-operator-tls",
                                                    "cloudvalkey.dev/rotate-ca=today", "--namespace=" + name_space_});
    ASSERT_TRUE(annotated) << annotated.error().context;
    ASSERT_TRUE(reaches([&] { return crypto::parse_certificates(bundle()).value().size() == 2; }));
    EXPECT_EQ(crypto::base64_decode(secret()["data"]["old-ca.crt"].get<std::string>()).value(), old);
    ASSERT_TRUE(reaches([&] { return crypto::parse_certificates(bundle()).value().size() == 1; }));
    EXPECT_NE(bundle(), old);
    EXPECT_TRUE(reaches([&] { return keeper_->is_trusted() && served_.size() == 2; }));
    const auto end = secret();
    EXPECT_EQ(end["data"].value("old-ca.crt", ""), "");
    const auto& annotations = end["metadata"]["annotations"];
    EXPECT_EQ(annotations["cloudvalkey.dev/rotate-ca"], "today") << "it is the user's";
    EXPECT_EQ(annotations["cloudvalkey.dev/rotated-ca"], "today");
    EXPECT_EQ(annotations["cloudvalkey.dev/rotation-step-since"], "");
}

TEST_F(Certificates, are_made_anew_over_a_union_when_the_secret_is_deleted) {
    const auto old = bundle();
    ASSERT_TRUE(control_plane().kubectl({"delete", "secret/cloud-valkey-operator-tls", "--namespace=" + name_space_}));
    ASSERT_TRUE(reaches([&] { return bundle().find(old) != std::string::npos && bundle() != old; }));
    ASSERT_TRUE(reaches([&] { return bundle().find(old) == std::string::npos; }));
    EXPECT_TRUE(reaches([&] { return keeper_->is_trusted() && served_.size() == 2; }));
}

TEST(GivenCertificates, are_swapped_without_a_failed_admission_and_their_bundle_left_alone) {
    const TempDir dir("cvp-given");
    const auto now = SystemClock::now();
    const auto ca = op::make_webhook_ca(now).value();
    int version = 0;
    const auto mount = [&] {  // as the kubelet does it
        const auto leaf = op::make_webhook_leaf(ca, {"ip:127.0.0.1"}, now).value();
        const auto name = "..v" + std::to_string(++version);
        dir.write(name + "/tls.crt", leaf.certificate_pem);
        dir.write(name + "/tls.key", leaf.key_pem.reveal());
        std::filesystem::create_symlink(name, dir.path() / "..new");
        std::filesystem::rename(dir.path() / "..new", dir.path() / "..data");
    };
    mount();
    for (const auto* file : {"tls.crt", "tls.key"})
        std::filesystem::create_symlink(std::filesystem::path("..data") / file, dir.path() / file);
    OperatorFleet fleet({"--webhook-tls-dir=" + dir.path().string()});
    fleet.set_bundle(ca.certificate_pem);
    const auto is_trusted = [&] {
        return AdmissionLoad(fleet.name_space()).finish(1).of(Admission::Outcome::failed).empty();
    };
    ASSERT_TRUE(eventually(is_trusted));

    AdmissionLoad load(fleet.name_space());
    load.await_sent(50);
    EXPECT_GT(fleet.metric(0, "cloudvalkey_operator_leaf_expiry_seconds"), 0);
    const auto reads = fleet.metric(0, "certwatcher_read_certificate_total");
    mount();
    EXPECT_TRUE(eventually([&] { return fleet.metric(0, "certwatcher_read_certificate_total") > reads; }));
    dir.write("..v2/tls.key", "rubbish");
    EXPECT_TRUE(eventually([&] { return fleet.metric(0, "certwatcher_read_certificate_errors_total") >= 1; }));
    EXPECT_TRUE(eventually([&] { return fleet.metric(1, "certwatcher_read_certificate_errors_total") >= 1; }));
    const auto report = load.finish(load.sent() + 50);
    EXPECT_TRUE(report.of(Admission::Outcome::failed).empty()) << report.summary();
    EXPECT_TRUE(report.of(Admission::Outcome::bare).empty());
    EXPECT_EQ(fleet.bundle(), ca.certificate_pem);

    fleet.set_bundle(op::make_webhook_ca(now).value().certificate_pem);
    EXPECT_TRUE(eventually([&] { return fleet.balancer().ready() == 0; })) << "the API server does not trust it";
    EXPECT_EQ(fleet.metric(0, "cloudvalkey_operator_webhook_trusted"), 0);
}

}  // namespace
}  // namespace cvp::test
