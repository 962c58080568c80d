#include "operator/certs/webhook_tls.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/async/asio.hpp"
#include "common/crypto/certificate.hpp"
#include "common/rfc3339.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr auto kDay = std::chrono::hours(24);
const std::string kService = "dns:cloud-valkey-operator.valkey.svc";

WebhookTls make_tls(SystemClock::time_point now, const std::vector<std::string>& identities = {kService}) {
    auto ca = make_webhook_ca(now).value();
    auto leaf = make_webhook_leaf(ca, identities, now).value();
    WebhookTls tls;
    tls.ca = std::move(ca);
    tls.leaf = std::move(leaf);
    return tls;
}

TEST(WebhookTls, survives_the_secret) {
    auto tls = make_tls(SystemClock::now());
    tls.old_ca_pem = "OLD";
    tls.step_since = parse_rfc3339("2026-11-24T10:00:00Z");
    tls.rotation_done = "once";
    auto secret = build_tls_secret("valkey", tls, "17");
    EXPECT_EQ(secret["metadata"]["resourceVersion"], "17");
    EXPECT_FALSE(build_tls_secret("valkey", tls, "")["metadata"].contains("resourceVersion"));
    EXPECT_FALSE(secret["metadata"]["annotations"].contains("cloudvalkey.dev/rotate-ca")) << "that one is the user's";
    secret["metadata"]["annotations"]["cloudvalkey.dev/rotate-ca"] = "twice";
    const auto read = read_tls_secret(secret);
    EXPECT_EQ(read.ca.certificate_pem, tls.ca.certificate_pem);
    EXPECT_EQ(read.ca.key_pem, tls.ca.key_pem);
    EXPECT_EQ(read.leaf.certificate_pem, tls.leaf.certificate_pem);
    EXPECT_EQ(read.leaf.key_pem, tls.leaf.key_pem);
    EXPECT_EQ(read.old_ca_pem, "OLD");
    EXPECT_EQ(read.step_since, tls.step_since);
    EXPECT_EQ(read.rotation_asked, "twice");
    EXPECT_EQ(read.rotation_done, "once");
}

TEST(WebhookTls, writes_what_is_empty_so_that_it_replaces_what_others_wrote) {
    const auto secret = build_tls_secret("valkey", make_tls(SystemClock::now()), "");
    EXPECT_EQ(secret["data"]["old-ca.crt"], "");
    EXPECT_EQ(secret["metadata"]["annotations"],
              json::parse(R"({"cloudvalkey.dev/rotated-ca": "", "cloudvalkey.dev/rotation-step-since": ""})"));
}

TEST(WebhookTls, reads_keys_that_are_missing_or_no_base64_as_empty) {
    const auto good = build_tls_secret("valkey", make_tls(SystemClock::now()), "");
    for (const auto* key : {"ca.crt", "ca.key", "tls.crt", "tls.key"}) {
        auto rubbish = good;
        rubbish["data"][key] = "***";
        auto missing = good;
        missing["data"].erase(key);
        for (const auto& secret : {rubbish, missing}) {
            const auto read = read_tls_secret(secret);
            const auto empty =
                static_cast<int>(read.ca.certificate_pem.empty()) + static_cast<int>(read.ca.key_pem.empty()) +
                static_cast<int>(read.leaf.certificate_pem.empty()) + static_cast<int>(read.leaf.key_pem.empty());
            EXPECT_EQ(empty, 1) << key;
        }
    }
    EXPECT_TRUE(read_tls_secret(json::parse(R"({"data":null})")).ca.certificate_pem.empty());
    EXPECT_FALSE(read_tls_secret(json()).step_since);
}

TEST(WebhookTls, makes_a_ca_of_ten_years_and_a_leaf_of_ninety_days) {
    const auto now = SystemClock::now();
    const auto tls = make_tls(now, {kService, "ip:127.0.0.1"});
    const auto ca = crypto::parse_certificate(tls.ca.certificate_pem).value();
    const auto leaf = crypto::parse_certificate(tls.leaf.certificate_pem).value();
    EXPECT_TRUE(ca.is_ca);
    EXPECT_FALSE(leaf.is_ca);
    EXPECT_GT(ca.not_after, now + 3649 * kDay);
    EXPECT_GT(leaf.not_after, now + 89 * kDay);
    EXPECT_LT(leaf.not_after, now + 91 * kDay);
    EXPECT_LT(leaf.not_before, now);
    EXPECT_THAT(leaf.identities, testing::ElementsAre(kService, "ip:127.0.0.1"));
}

}  // namespace
}  // namespace cvp::op
