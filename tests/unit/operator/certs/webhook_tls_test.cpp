#include "operator/certs/webhook_tls.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/async/asio.hpp"
#include "common/crypto/certificate.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr auto kDay = std::chrono::hours(24);
const std::string kService = "dns:cloud-valkey-operator.valkey.svc";

WebhookTls make_tls(SystemClock::time_point now, const std::vector<std::string>& identities = {kService}) {
    auto ca = make_webhook_ca(now).value();
    auto leaf = make_webhook_leaf(ca, identities, now).value();
    return {std::move(ca), std::move(leaf)};
}

TEST(WebhookTls, survives_the_secret) {
    const auto tls = make_tls(SystemClock::now());
    const auto secret = build_tls_secret("valkey", tls, "17");
    EXPECT_EQ(secret["metadata"]["resourceVersion"], "17");
    EXPECT_FALSE(build_tls_secret("valkey", tls, "")["metadata"].contains("resourceVersion"));
    const auto read = read_tls_secret(secret);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->ca.certificate_pem, tls.ca.certificate_pem);
    EXPECT_EQ(read->ca.key_pem, tls.ca.key_pem);
    EXPECT_EQ(read->leaf.certificate_pem, tls.leaf.certificate_pem);
    EXPECT_EQ(read->leaf.key_pem, tls.leaf.key_pem);
}

TEST(WebhookTls, names_the_key_that_is_missing_from_the_secret) {
    const auto good = build_tls_secret("valkey", make_tls(SystemClock::now()), "");
    for (const auto* key : {"ca.crt", "ca.key", "tls.crt", "tls.key"}) {
        auto secret = good;
        secret["data"][key] = "***";
        EXPECT_THAT(read_tls_secret(secret).error().context, testing::HasSubstr(key));
        secret["data"].erase(key);
        EXPECT_THAT(read_tls_secret(secret).error().context, testing::HasSubstr(key));
    }
    EXPECT_FALSE(read_tls_secret(json::parse(R"({"data":null})")));
    EXPECT_FALSE(read_tls_secret(json()));
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
