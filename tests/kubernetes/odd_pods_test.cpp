// The promise to everybody else in the cluster: whoever does not ask for a sidecar does not notice us, least of all
// when we are down.

#include "tests/kubernetes/odd_pods.hpp"

#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart_objects.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/sample_pods.hpp"
#include "tests/kubernetes/webhook_configuration.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::size_t kPods = 1000;
const std::string kNamespace = "odd";

/// A port on which nobody listens, and nobody will: it is bound.
class DeadPort {
public:
    DeadPort() : acceptor_(io_) {
        const asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
        acceptor_.open(any.protocol());
        acceptor_.bind(any);
    }
    std::string url() const {
        return "https://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/mutate-pods";
    }

private:
    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
};

json make_asking_pod(const std::string& connections) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "asks"}, {"annotations", {{"cloudvalkey.dev/connections", connections}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

/// What the API server says to a pod that asks: "" if it admits it.
std::string refusal_of_asking_pod(ApiSession& api, const std::string& connections = "sessions") {
    const auto answer = api.create(pods_of(kNamespace) + "?dryRun=All", make_asking_pod(connections));
    return answer["kind"] == "Status" ? answer["message"].get<std::string>() : "";
}

/// Waits until the API server refuses a pod that asks, or no longer does.
void wait_until_asking_is(ApiSession& api, bool refused, const std::string& connections = "sessions") {
    const auto deadline = SteadyClock::now() + std::chrono::seconds(20);
    while (refusal_of_asking_pod(api, connections).empty() == refused) {
        if (SteadyClock::now() > deadline) throw std::runtime_error("the API server did not take it in time");
    }
}

/// Makes all pods and returns what became of them, then removes them.
std::vector<std::string> make_all(ApiSession& api, const std::vector<json>& pods) {
    std::vector<std::string> outcomes;

    for (const auto& pod : pods)
        outcomes.push_back(without_chance(api.create(pods_of(kNamespace), pod)).dump());
    const auto removed = api.send("DELETE", pods_of(kNamespace) + "?gracePeriodSeconds=0");
    EXPECT_EQ(removed.status, 200U) << removed.body.substr(0, 400);
    EXPECT_TRUE(api.get(pods_of(kNamespace))["items"].empty());
    return outcomes;
}

class OddPods : public testing::Test {
protected:
    static void SetUpTestSuite() {
        ASSERT_TRUE(control_plane().make_namespace(kNamespace));
        pods = make_odd_pods(kPods);
        ApiSession api;
        without = make_all(api, pods);
    }
    static void TearDownTestSuite() {
        pods.clear();
        without.clear();
    }

    void expect_the_same(const std::vector<std::string>& with) {
        std::size_t admitted = 0;
        for (std::size_t i = 0; i < pods.size(); ++i) {
            EXPECT_EQ(with[i], without[i]) << pods[i].dump().substr(0, 2000);
            if (json::parse(with[i])["kind"] == "Pod") ++admitted;
        }
        EXPECT_GT(admitted, kPods * 9 / 10 - kPods / 10) << "most of them are pods and not faults";
        EXPECT_LT(admitted, kPods) << "some of them are faults, which read the same too";
    }

    ApiSession api;
    static inline std::vector<json> pods;
    static inline std::vector<std::string> without;  ///< what became of them with nothing of ours
};

TEST_F(OddPods, become_the_same_with_the_operator_down_as_without_a_webhook) {
    const DeadPort port;
    std::optional<WebhookConfiguration> configuration(std::in_place, port.url());
    wait_until_asking_is(api, true);
    const auto with = make_all(api, pods);
    EXPECT_THAT(refusal_of_asking_pod(api), HasSubstr("failed calling webhook \"inject.cloudvalkey.dev\""))
        << "the webhook was in force all the time";
    configuration.reset();
    wait_until_asking_is(api, false);
    expect_the_same(with);
}

TEST_F(OddPods, become_the_same_with_every_policy_as_without) {
    std::vector<std::string> files{"guard.yaml", "hint.yaml"};
    std::vector<std::string> arguments;
    if (has_mutating_policies(api)) {
        files.emplace_back("policy.yaml");
        arguments = {"--set", "injection.mode=Policy"};
    }
    std::optional<ChartObjects> policies(std::in_place, files, arguments);
    wait_until_asking_is(api, true, "no name");
    const auto with = make_all(api, pods);
    EXPECT_THAT(refusal_of_asking_pod(api, "no name"), HasSubstr("'cloudvalkey-guard'"))
        << "the guard was in force all the time";
    policies.reset();
    wait_until_asking_is(api, false, "no name");
    expect_the_same(with);
}

}  // namespace
}  // namespace cvp::test
