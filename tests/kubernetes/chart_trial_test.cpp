// The Valkey that the chart brings for trying the product: its Deployment's own command, run here with the files of its
// Secret, is what a sidecar would meet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/base64.hpp"
#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/installed_product.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/resp_client.hpp"
#include "tests/support/valkey_server.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string decoded(const nlohmann::json& secret, const std::string& key) {
    return value_or_throw(crypto::base64_decode(secret["data"][key].get<std::string>()));
}

class ChartTrial : public testing::Test {
protected:
    /// Upgrades the release to one with a Valkey. @return the server's Secret
    nlohmann::json upgrade() {
        auto arguments = product_.chart_and_values();
        arguments.push_back("--set=valkey.enabled=true,valkey.clientNamespace=" + clients_);
        notes_ = product_.helm("upgrade", arguments);
        return api_.get("/api/v1/namespaces/" + product_.name_space() + "/secrets/cloud-valkey-trial");
    }

    /// The container's command, on `port`, with the Secret's files instead of the mounted ones.
    std::vector<std::string> command(const nlohmann::json& secret, std::uint16_t port) {
        const auto deployment =
            api_.get("/apis/apps/v1/namespaces/" + product_.name_space() + "/deployments/cloud-valkey-trial");
        for (const auto& [name, value] : secret["data"].items())
            dir_.write(name, decoded(secret, name));
        std::vector<std::string> words = deployment["spec"]["template"]["spec"]["containers"][0]["command"];
        for (auto& word : words) {
            if (const auto at = word.find("/etc/valkey"); at != std::string::npos)
                word.replace(at, 11, dir_.path().string());
            if (word == "/data") word = dir_.path().string();
            if (word == "6379") word = std::to_string(port);
        }
        return words;
    }

    InstalledProduct product_;
    const std::string clients_ = make_fresh_namespace("trial");
    ApiSession api_;
    TempDir dir_{"cvp-trial"};
    std::string notes_;
};

TEST_F(ChartTrial, serves_tls_and_a_password_that_the_connections_secret_has) {
    const auto port = value_or_throw(free_port());
    ProcessOptions options;
    options.argv = command(upgrade(), port);
    options.log_file = dir_.path() / "log";
    const auto server = value_or_throw(Process::start(options));

    const auto secret = api_.get("/api/v1/namespaces/" + clients_ + "/secrets/cloudvalkey-trial");
    const TlsClientSettings tls{.ca_pem = decoded(secret, "ca.crt"),
                                .identity = "cloud-valkey-trial." + product_.name_space() + ".svc",
                                .certificate_pem = {},
                                .key_pem = {},
                                .min_version = TlsVersion::v1_3};
    std::optional<RespClient> client;
    ASSERT_TRUE(eventually([&] {
        auto connected = RespClient::connect_tls("127.0.0.1", port, tls);
        if (connected) client.emplace(*std::move(connected));
        return client.has_value();
    })) << tail_of(dir_.path() / "log");
    EXPECT_THAT(value_or_throw(client->command({"PING"})).text, HasSubstr("NOAUTH"));
    EXPECT_EQ(value_or_throw(client->command({"AUTH", decoded(secret, "password")})).text, "OK");
    EXPECT_EQ(value_or_throw(client->command({"PING"})).text, "PONG");
    EXPECT_THAT(notes_, HasSubstr("addresses: [\"cloud-valkey-trial." + product_.name_space() + ".svc:6379\"]"));
    EXPECT_THAT(notes_, HasSubstr("kubectl apply -n " + clients_));
}

TEST_F(ChartTrial, keeps_certificate_and_password_when_the_release_is_upgraded) {
    const auto first = upgrade();
    EXPECT_EQ(upgrade()["data"], first["data"]);
}

TEST_F(ChartTrial, is_taken_by_a_namespace_that_enforces_restricted) {
    ASSERT_TRUE(control_plane().kubectl(
        {"label", "namespace", product_.name_space(), "pod-security.kubernetes.io/enforce=restricted"}));
    upgrade();
    const auto pods = "/api/v1/namespaces/" + product_.name_space() + "/pods?labelSelector=app.kubernetes.io/name" +
                      std::string("=cloud-valkey-trial");
    EXPECT_TRUE(eventually([&] { return !api_.get(pods)["items"].empty(); })) << "its ReplicaSet makes the pod";
}

TEST(ChartTrialOff, is_off_unless_asked_for) {
    EXPECT_THAT(render_chart(), Not(HasSubstr("cloud-valkey-trial")));
}

}  // namespace
}  // namespace cvp::test
