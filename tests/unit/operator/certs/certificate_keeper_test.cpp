#include "operator/certs/certificate_keeper.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/crypto/base64.hpp"
#include "tests/support/async.hpp"
#include "tests/support/fake_kube_api.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

const auto kSecret = secrets("valkey", "cloud-valkey-operator-tls");
const auto kConfiguration = mutating_webhook_configurations("cloud-valkey-operator");

CertificateOptions hurried() {
    return {std::chrono::milliseconds(50), std::chrono::milliseconds(50), {}};
}

class CertificateKeeperTest : public testing::Test {
protected:
    CertificateKeeperTest() {
        keeper.set_leader(true);
        tasks.spawn("keeper", keeper.run());
    }
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
    CertificateKeeper keeper{io, api, "valkey", [this](const auto& leaf) { served.push_back(leaf.certificate_pem); },
                             hurried()};
    TaskGroup tasks{io};
};

TEST_F(CertificateKeeperTest, makes_serves_and_publishes) {
    EXPECT_FALSE(keeper.is_trusted());
    ASSERT_TRUE(reaches([&] { return !served.empty(); }));
    EXPECT_FALSE(keeper.is_trusted()) << "there is no webhook configuration yet";

    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    const auto stored = read_tls_secret(api.stored(kSecret));
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

TEST_F(CertificateKeeperTest, serves_what_somebody_else_wrote) {
    const auto now = SystemClock::now();
    WebhookTls theirs;
    theirs.ca = make_webhook_ca(now).value();
    theirs.leaf = make_webhook_leaf(theirs.ca, {"dns:cloud-valkey-operator.valkey.svc"}, now).value();
    ASSERT_TRUE(reaches([&] { return !served.empty(); }));

    api.put(kSecret, build_tls_secret("valkey", theirs, ""));
    EXPECT_TRUE(reaches([&] { return served.back() == theirs.leaf.certificate_pem; }));
}

TEST_F(CertificateKeeperTest, looks_again_when_somebody_else_was_first_to_write) {
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    KubeError conflict;
    conflict.http_status = 409;
    conflict.error = {ErrorCode::conflict, "the object has been modified"};
    api.fail_next("apply", conflict);
    api.erase(kSecret);
    EXPECT_TRUE(reaches([&] { return !api.stored(kSecret).is_null(); }));
}

TEST_F(CertificateKeeperTest, follows_and_writes_nothing_without_the_lease) {
    std::vector<std::string> theirs;
    CertificateKeeper follower(io, api, "valkey", [&](const auto& leaf) { theirs.push_back(leaf.certificate_pem); });
    TaskGroup following{io};
    following.spawn("follower", follower.run());
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted() && follower.is_trusted(); }));
    EXPECT_EQ(theirs, served);

    keeper.set_leader(false);
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return !keeper.is_trusted() && !follower.is_trusted(); }));
    EXPECT_EQ(live_bundle(), "");
    follower.set_leader(true);
    EXPECT_TRUE(reaches([&] { return keeper.is_trusted() && follower.is_trusted(); }));
    follower.stop();
    EXPECT_TRUE(test::run(io, following.join(SteadyClock::now() + std::chrono::seconds(5))));
}

TEST_F(CertificateKeeperTest, rotates_when_the_annotation_asks) {
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    const auto first = live_bundle();
    auto secret = api.stored(kSecret);
    secret["metadata"]["annotations"]["cloudvalkey.dev/rotate-ca"] = "please";
    api.put(kSecret, secret);
    ASSERT_TRUE(reaches([&] { return live_bundle().size() > first.size(); })) << "both CAs";
    EXPECT_TRUE(reaches([&] { return live_bundle().size() < first.size() + 100 && live_bundle() != first; }));
    EXPECT_EQ(served.size(), 2U);
    EXPECT_TRUE(keeper.is_trusted());
}

TEST_F(CertificateKeeperTest, says_how_long_its_certificates_last) {
    api.put(kConfiguration, configuration());
    ASSERT_TRUE(reaches([&] { return keeper.is_trusted(); }));
    metrics::Page page;
    keeper.describe(page, SystemClock::now() + kLeafLife);
    const auto text = page.render();
    EXPECT_THAT(text, testing::HasSubstr("cloudvalkey_operator_webhook_trusted 1\n"));
    EXPECT_THAT(text, testing::ContainsRegex("cloudvalkey_operator_ca_expiry_seconds 3[0-9]+"));
    EXPECT_THAT(text, testing::ContainsRegex("cloudvalkey_operator_leaf_expiry_seconds -[0-9]\\.")) << "just over";
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("certwatcher"))) << "none was given";
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

TEST(CertificateKeeper, serves_a_given_certificate_and_leaves_the_bundle_to_its_owner) {
    const auto now = SystemClock::now();
    const auto ca = make_webhook_ca(now).value();
    const test::TempDir dir;
    const auto give = [&] {
        const auto leaf = make_webhook_leaf(ca, {"dns:cloud-valkey-operator.valkey.svc"}, now).value();
        dir.write("tls.crt", leaf.certificate_pem);
        dir.write("tls.key", leaf.key_pem.reveal());
        return leaf.certificate_pem;
    };
    const auto first = give();
    asio::io_context io{1};
    test::FakeKubeApi api;
    std::vector<std::string> served;
    CertificateKeeper keeper(io, api, "valkey", [&](const auto& leaf) { served.push_back(leaf.certificate_pem); },
                             {{}, {}, dir.path()});
    keeper.set_leader(true);
    TaskGroup tasks{io};
    tasks.spawn("keeper", keeper.run());
    ASSERT_TRUE(test::run_until(io, [&] { return keeper.is_trusted(); }));

    const auto bundle_of = [](const std::string& pem) {
        return json{
            {"webhooks",
             {{{"name", "inject.cloudvalkey.dev"}, {"clientConfig", {{"caBundle", crypto::base64_encode(pem)}}}}}}};
    };
    api.put(kConfiguration, bundle_of(make_webhook_ca(now).value().certificate_pem));
    EXPECT_TRUE(test::run_until(io, [&] { return !keeper.is_trusted(); })) << "a foreign CA";
    const auto second = give();
    api.put(kConfiguration, bundle_of(ca.certificate_pem));
    EXPECT_TRUE(test::run_until(io, [&] { return keeper.is_trusted() && served.size() == 2; }));
    EXPECT_THAT(served, testing::ElementsAre(first, second));
    EXPECT_EQ(api.count("apply"), 0U);
    EXPECT_TRUE(api.stored(kSecret).is_null());
    keeper.stop();
    EXPECT_TRUE(test::run(io, tasks.join(SteadyClock::now() + std::chrono::seconds(5))));
}

}  // namespace
}  // namespace cvp::op
