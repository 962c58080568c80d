#include "tests/kubernetes/odd_pods.hpp"

#include <functional>
#include <random>
#include <string>

namespace cvp::test {
namespace {

using nlohmann::json;

using Twist = std::function<void(json& pod, std::minstd_rand& random)>;

constexpr std::size_t kHuge = std::size_t{200} * 1024;
/// Huge pods are rare: a thousand of them would be 200 MB of JSON.
constexpr std::size_t kHugeEvery = 25;

/// Keys that look like ours and are not the one.
const std::vector<std::string> kNearKeys = {"cloudvalkey.dev/connection",
                                            "cloudvalkey.dev/connections.x",
                                            "cloudvalkey.dev/Connections",
                                            "x.cloudvalkey.dev/connections",
                                            "cloudvalkey.dev.example/connections",
                                            "cloudvalkey.devconnections",
                                            "connections",
                                            "cloudvalkey.dev/status",
                                            "cloudvalkey.dev/refresh",
                                            "cloudvalkey.dev/secret.sessions",
                                            "cloudvalkey.dev/unix-socket",
                                            "cloudvalkey.dev/injected",
                                            "sidecar.istio.io/inject",
                                            "linkerd.io/inject",
                                            "kubectl.kubernetes.io/restartedAt",
                                            "cluster-autoscaler.kubernetes.io/x_y"};

const std::vector<std::string> kValues = {
    "", "sessions", "sessions, orders:6390/6391", "null", "true", "\"{}[]\\", " ", "line\nbreak", "ünïcödé 🔑", "0"};

/// Twists of the annotations: the heart of the matter, every pod gets one.
const std::vector<Twist> kAnnotations = {
    [](json&, auto&) {},
    [](json& pod, auto&) { pod["metadata"]["annotations"] = nullptr; },
    [](json& pod, auto&) { pod["metadata"]["annotations"] = json::object(); },
    [](json& pod, auto& random) {
        pod["metadata"]["annotations"][kNearKeys[random() % kNearKeys.size()]] = kValues[random() % kValues.size()];
    },
    [](json& pod, auto& random) {
        for (const auto& key : kNearKeys)
            pod["metadata"]["annotations"][key] = kValues[random() % kValues.size()];
    },
    [](json& pod, auto& random) { pod["metadata"]["annotations"][kNearKeys[random() % kNearKeys.size()]] = nullptr; },
    [](json& pod, auto& random) {
        for (int i = 0; i < 300; ++i)
            pod["metadata"]["annotations"]["example.com/k" + std::to_string(i)] = kValues[random() % kValues.size()];
    },
};

/// Twists of the rest of the metadata and of the spec: each pod gets some.
const std::vector<Twist> kRest = {
    [](json& pod, auto&) { pod["metadata"]["labels"] = nullptr; },
    [](json& pod, auto&) {
        pod["metadata"]["labels"] = {{"cloudvalkey.dev/injected", "true"}};
    },
    [](json& pod, auto&) {
        pod["metadata"]["labels"] = {{"cloudvalkey.dev/connections", "sessions"}};
    },
    [](json& pod, auto&) { pod["metadata"]["finalizers"] = json::array(); },
    [](json& pod, auto&) { pod["metadata"]["ownerReferences"] = nullptr; },
    [](json& pod, auto&) { pod["spec"]["initContainers"] = nullptr; },
    [](json& pod, auto&) { pod["spec"]["initContainers"] = json::array(); },
    [](json& pod, auto&) {
        pod["spec"]["initContainers"] =
            json::array({{{"name", "cloud-valkey-proxy"}, {"image", "own:1"}, {"restartPolicy", "Always"}}});
    },
    [](json& pod, auto&) { pod["spec"]["containers"][0]["name"] = "cloud-valkey-proxy"; },
    [](json& pod, auto&) {
        pod["spec"]["containers"][0]["ports"] = json::array({{{"containerPort", 6379}}});
    },
    [](json& pod, auto&) {
        pod["spec"]["containers"][0]["env"] = json::array({{{"name", "CVP_X"}}});
    },
    [](json& pod, auto&) {
        pod["spec"]["containers"].push_back({{"name", "b"}, {"image", "b:1"}, {"tty", true}});
    },
    [](json& pod, auto&) { pod["spec"]["hostNetwork"] = true; },
    [](json& pod, auto&) {
        pod["spec"]["os"] = {{"name", "windows"}};
    },
    [](json& pod, auto&) { pod["spec"]["volumes"] = nullptr; },
    [](json& pod, auto&) {
        pod["spec"]["volumes"] = json::array({{{"name", "cloudvalkey-sessions"}, {"emptyDir", json::object()}}});
    },
    [](json& pod, auto&) { pod["spec"]["automountServiceAccountToken"] = false; },
    [](json& pod, auto&) {
        pod["spec"]["securityContext"] = {{"runAsUser", 0}};
    },
    [](json& pod, auto&) {
        pod["spec"]["nodeSelector"] = {{"kubernetes.io/os", "windows"}};
    },
    [](json& pod, auto&) { pod["spec"]["terminationGracePeriodSeconds"] = 0; },
    [](json& pod, auto&) {
        pod["spec"]["imagePullSecrets"] = json::array({{{"name", "x"}}});
    },
    [](json& pod, auto&) { pod["spec"]["restartPolicy"] = "Never"; },
    [](json& pod, auto&) {
        pod["status"] = {{"phase", "Running"}};
    },
};

/// What the API server refuses, with or without a webhook.
const std::vector<Twist> kInvalid = {
    [](json& pod, auto&) { pod["spec"]["containers"] = json::array(); },
    [](json& pod, auto&) { pod["spec"]["containers"] = nullptr; },
    [](json& pod, auto&) { pod["spec"].erase("containers"); },
    [](json& pod, auto&) { pod["metadata"]["annotations"] = "text"; },
    [](json& pod, auto&) { pod["metadata"]["annotations"]["not a key!"] = "x"; },
    [](json& pod, auto&) { pod["metadata"]["annotations"]["cloudvalkey.dev/status"] = 7; },
    [](json& pod, auto&) {
        pod["metadata"]["annotations"]["example.com/big"] = std::string(std::size_t{257} * 1024, 'x');
    },
    [](json& pod, auto&) { pod["metadata"]["name"] = "Not A Name"; },
    [](json& pod, auto&) { pod["spec"]["serviceAccountName"] = "missing"; },
    [](json& pod, auto&) {
        pod["spec"]["unknown"] = {{"x", 1}};
    },
};

json make_pod(std::size_t index) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "odd-" + std::to_string(index)}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

}  // namespace

std::vector<json> make_odd_pods(std::size_t count) {
    std::minstd_rand random(20261120);
    std::vector<json> pods;
    for (std::size_t i = 0; i < count; ++i) {
        auto pod = make_pod(i);
        kAnnotations[i % kAnnotations.size()](pod, random);
        if (i % kHugeEvery == 0) {
            auto& annotations = pod["metadata"]["annotations"];
            if (i % 2 == 0) {
                annotations["example.com/huge"] = std::string(kHuge, 'x');
            } else {
                for (std::size_t k = 0; k < kHuge / 64; ++k)
                    annotations["example.com/huge-" + std::to_string(k)] = std::string(40, 'x');
            }
        }
        for (auto twists = random() % 4; twists > 0; --twists)
            kRest[random() % kRest.size()](pod, random);
        if (i % 20 == 19) kInvalid[(i / 20) % kInvalid.size()](pod, random);
        pods.push_back(std::move(pod));
    }
    return pods;
}

}  // namespace cvp::test
