#include "operator/certs/certificate_keeper.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/crypto/base64.hpp"
#include "tests/support/async.hpp"
#include "tests/support/fake_kube_api.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

const auto kSecret = secrets("valkey", "cloud-valkey-operator-tls");
const auto kConfiguration = mutating_webhook_configurations("cloud-valkey-operator");

class CertificateKeeperTest : public testing::Test {
protected:
    CertificateKeeperTest() { tasks.spawn("keeper", keeper.run()); }
    ~CertificateKeeperTest() override {
        keeper.stop();
        EXPECT_TRUE(test::run(io, tasks.join(SteadyClock::now() + std::chrono::seconds(5))));
    }

    json configuration(const std::string& bundle = {}) {
        json webhook = {{"name", "inject.cloudvalkey.dev"}, {"clientConfig", json::object()}};
        if (!bundle.empty()) webhook["clientConfig"]["caBundle"] = crypto::base64_encode(bundle);
        return {{"webhooks", json::array({std::move(webhook)})}};
    }

    std::string live_bundle() { return live_ca_bundle(api.stored(kConfiguration)); }

    template <class Condition>
    bool reaches(Condition condition) {
        return test::run_until(io, std::move(condition));
    }

    asio::io_context io{1};
    test::FakeKubeApi api;
    std::vector<std::string> served;
    CertificateKeeper keeper{io, api, "valkey", [this](const auto& leaf) { served.push_back(leaf.certificate_pem); }};
    TaskGroup tasks{io};
};

TEST_F(CertificateKeeperTest, makes_serves_and_publishes) {
    EXPECT_FALSE(keeper.is_trusted());
    ASSERT_TRUE(reaches([&] { return !served.empty(); }));
    EXPECT_FALSE(keeper.is_trusted()) << "there is no webhook configuration yet";

    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    const auto stored = read_tls_secret(api.stored(kSecret)).value();
    EXPECT_EQ(live_bundle(), stored.ca.certificate_pem);
    EXPECT_THAT(served, testing::ElementsAre(stored.leaf.certificate_pem));

    EXPECT_EQ(api.count("apply"), 2U) << "the Secret once, the caBundle once";
    for (const auto& call : api.calls()) {
        if (call.verb != "apply") continue;
        EXPECT_EQ(call.field_manager, call.path == kSecret ? "cloud-valkey-operator" : "cloud-valkey-operator-ca");
    }
}

TEST_F(CertificateKeeperTest, repairs_a_bundle_that_was_wiped) {
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    const auto bundle = live_bundle();

    api.put(kConfiguration, configuration());
    ASSERT_EQ(live_bundle(), "");
    EXPECT_TRUE(reaches([&] { return live_bundle() == bundle; }));
    EXPECT_EQ(served.size(), 1U);
}

TEST_F(CertificateKeeperTest, serves_what_another_replica_was_first_to_write) {
    const auto now = SystemClock::now();
    auto ca = make_webhook_ca(now).value();
    auto leaf = make_webhook_leaf(ca, {"dns:cloud-valkey-operator.valkey.svc"}, now).value();
    const auto theirs = leaf.certificate_pem;
    ASSERT_TRUE(reaches([&] { return !served.empty(); }));

    api.put(kSecret, build_tls_secret("valkey", {std::move(ca), std::move(leaf)}, ""));
    EXPECT_TRUE(reaches([&] { return served.back() == theirs; }));
}

TEST_F(CertificateKeeperTest, tries_again_after_a_refusal) {
    api.fail_next("apply", ErrorCode::permission_denied);
    api.fail_next("get", ErrorCode::unavailable);
    api.put(kConfiguration, configuration());
    EXPECT_TRUE(reaches([&] { return keeper.is_trusted(); }));
}

TEST_F(CertificateKeeperTest, makes_a_new_pair_when_the_secret_is_deleted) {
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    const auto first = live_bundle();
    api.erase(kSecret);
    ASSERT_TRUE(reaches([&] { return served.size() == 2; }));
    EXPECT_TRUE(reaches([&] { return keeper.is_trusted() && live_bundle() != first; }));
}

}  // namespace
}  // namespace cvp::op
