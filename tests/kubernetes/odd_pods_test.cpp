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
#include "tests/kubernetes/environment.hpp"
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

json make_asking_pod() {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "asks"}, {"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

/// What the API server says to a pod that asks: "" if it admits it.
std::string refusal_of_asking_pod(ApiSession& api) {
    const auto answer = api.create(pods_of(kNamespace) + "?dryRun=All", make_asking_pod());
    return answer["kind"] == "Status" ? answer["message"].get<std::string>() : "";
}

/// Waits until the API server calls the webhook, or no longer does.
void wait_until_asking_is(ApiSession& api, bool refused) {
    const auto deadline = SteadyClock::now() + std::chrono::seconds(20);
    while (refusal_of_asking_pod(api).empty() == refused) {
        if (SteadyClock::now() > deadline) throw std::runtime_error("the API server did not take the webhook in time");
    }
}

/// The elements of a member that is a list, or none.
json::array_t& list_in(json& object, const char* member) {
    static json::array_t none;
    const auto found = object.find(member);
    return found != object.end() && found->is_array() ? found->get_ref<json::array_t&>() : none;
}

/// Cuts the five random characters off "kube-api-access-x7k2p", the volume of the pod's token.
void forget_suffix(json& named) {
    auto& name = named["name"].get_ref<std::string&>();
    const std::string prefix = "kube-api-access-";
    if (name.starts_with(prefix)) name = prefix;
}

/// The answer without what differs between two pods in any case: uid, times, the name of the token's volume.
std::string without_chance(json answer) {
    if (answer["kind"] == "Status") return answer.dump();
    auto& metadata = answer["metadata"];
    for (const auto* key : {"uid", "creationTimestamp", "resourceVersion"})
        metadata.erase(key);
    for (auto& entry : list_in(metadata, "managedFields"))
        entry.erase("time");
    for (auto& volume : list_in(answer["spec"], "volumes"))
        forget_suffix(volume);
    for (const auto* containers : {"containers", "initContainers"}) {
        for (auto& container : list_in(answer["spec"], containers)) {
            for (auto& mount : list_in(container, "volumeMounts"))
                forget_suffix(mount);
        }
    }
    return answer.dump();
}

/// Makes all pods and returns what became of them, then removes them.
std::vector<std::string> make_all(ApiSession& api, const std::vector<json>& pods) {
    std::vector<std::string> outcomes;

    for (const auto& pod : pods)
        outcomes.push_back(without_chance(api.create(pods_of(kNamespace), pod)));
    const auto removed = api.send("DELETE", pods_of(kNamespace) + "?gracePeriodSeconds=0");
    EXPECT_EQ(removed.status, 200U) << removed.body.substr(0, 400);
    EXPECT_TRUE(api.get(pods_of(kNamespace))["items"].empty());
    return outcomes;
}

TEST(OddPods, become_the_same_with_the_operator_down_as_without_a_webhook) {
    ASSERT_TRUE(control_plane().make_namespace(kNamespace));
    ApiSession api;
    const auto pods = make_odd_pods(kPods);
    const auto without = make_all(api, pods);

    const DeadPort port;
    std::optional<WebhookConfiguration> configuration(std::in_place, port.url());
    wait_until_asking_is(api, true);
    const auto with = make_all(api, pods);
    EXPECT_THAT(refusal_of_asking_pod(api), HasSubstr("failed calling webhook \"inject.cloudvalkey.dev\""))
        << "the webhook was in force all the time";
    configuration.reset();
    wait_until_asking_is(api, false);

    std::size_t admitted = 0;
    for (std::size_t i = 0; i < pods.size(); ++i) {
        EXPECT_EQ(with[i], without[i]) << pods[i].dump().substr(0, 2000);
        if (json::parse(with[i])["kind"] == "Pod") ++admitted;
    }
    EXPECT_GT(admitted, kPods * 9 / 10 - kPods / 10) << "most of them are pods and not faults";
    EXPECT_LT(admitted, kPods) << "some of them are faults, which read the same too";
}

}  // namespace
}  // namespace cvp::test
