#include "tests/kubernetes/sample_pods.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "common/crypto/base64.hpp"
#include "operator/version.hpp"
#include "operator/webhook/mutate.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

json make_pod(const std::string& connections) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "shop"}, {"annotations", {{"cloudvalkey.dev/connections", connections}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

/// @param value JSON text
json with(json pod, const char* pointer, const char* value) {
    pod[json::json_pointer(pointer)] = json::parse(value);
    return pod;
}

std::vector<SamplePod> make_pods_with_lists() {
    std::vector<SamplePod> pods;
    for (const auto& [name, list] :
         std::vector<std::pair<const char*, std::string>>{{"eight-connections", "a,b,c,d,e,f,g:7000/7001,h"},
                                                          {"longest-name", std::string(40, 'x') + ":65535/1024"},
                                                          {"name-too-long", std::string(41, 'x')},
                                                          {"spaces", "  sessions ,  orders:6390  "},
                                                          {"tab", "sessions,\torders"},
                                                          {"line-break", "sessions\n"},
                                                          {"space-in-entry", "sessions :6379"},
                                                          {"empty-entry", "sessions,,orders"},
                                                          {"trailing-comma", "sessions,"},
                                                          {"only-spaces", "   "},
                                                          {"only-commas", ",,,,,,,,,,"},
                                                          {"odd-name", "\"}]; ünïcödé"},
                                                          {"name-with-dash", "-a"},
                                                          {"port-too-low", "sessions:1023"},
                                                          {"port-too-high", "sessions:65536"},
                                                          {"port-much-too-high", "sessions:" + std::string(40, '9')},
                                                          {"port-missing", "sessions:"},
                                                          {"readers-missing", "sessions:6379/"},
                                                          {"readers-twice", "sessions:6379/6380/6381"},
                                                          {"port-is-admin", "sessions:9379"},
                                                          {"readers-are-port", "sessions:6379/6379"},
                                                          {"default-port-taken", "sessions:6389, orders"}}) {
        pods.push_back({name, make_pod(list)});
    }
    return pods;
}

std::vector<SamplePod> make_pods_with_specs() {
    constexpr auto kPorts = "/spec/containers/0/ports";
    constexpr auto kResources = "/spec/containers/0/resources";
    constexpr auto kInit = "/spec/initContainers";
    constexpr auto kOne = R"({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}})";
    const auto pod = make_pod("sessions, orders:6390/6391");
    return {
        {"declares-readers-port", with(pod, kPorts, R"([{"containerPort": 6391}])")},
        {"declares-admin-port", with(pod, kPorts, R"([{"containerPort": 9379}])")},
        {"declares-other-ports", with(pod, kPorts, R"([{"containerPort": 8080}])")},
        {"init-declares-port",
         with(pod, kInit, R"([{"name": "i", "image": "i:1", "ports": [{"containerPort": 6379}]}])")},
        {"windows-by-selector", with(pod, "/spec/nodeSelector", R"({"kubernetes.io/os": "windows"})")},
        {"linux-by-selector", with(pod, "/spec/nodeSelector", R"({"kubernetes.io/os": "linux"})")},
        {"linux", with(pod, "/spec/os", R"({"name": "linux"})")},
        {"no-host-network", with(pod, "/spec/hostNetwork", "false")},
        {"bad-secret", with(pod, "/metadata/annotations/cloudvalkey.dev~1secret.orders", R"("Not A Name")")},
        {"secret-of-another", with(pod, "/metadata/annotations/cloudvalkey.dev~1secret.x", R"("Not A Name")")},
        {"unknown-key", with(pod, "/metadata/annotations/cloudvalkey.dev~1unknown", R"("x")")},
        {"istio-between", with(pod, kInit, R"([{"name": "istio-init", "image": "mesh:1"},
            {"name": "istio-proxy", "image": "mesh:1", "restartPolicy": "Always"}, {"name": "migrate", "image": "m:1"}])")},
        {"two-meshes", with(pod, kInit, R"([{"name": "linkerd-proxy", "image": "mesh:1", "restartPolicy": "Always"},
            {"name": "istio-proxy", "image": "mesh:1", "restartPolicy": "Always"}])")},
        {"all-guaranteed", with(pod, kResources, kOne)},
        {"guaranteed-by-limits", with(pod, kResources, R"({"limits": {"cpu": "1", "memory": "1Gi"}})")},
        {"guaranteed-in-other-units",
         with(pod, kResources,
              R"({"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}})")},
        {"guaranteed-and-burstable-init",
         with(with(pod, kResources, kOne), kInit,
              R"([{"name": "i", "image": "i:1", "resources": {"requests": {"cpu": "1"}}}])")},
        {"memory-limit-only", with(pod, kResources, R"({"limits": {"memory": "1Gi"}})")},
        {"more-limit-than-request",
         with(pod, kResources,
              R"({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}})")},
        {"resources-of-the-pod", with(pod, "/spec/resources", kOne)},
        {"without-token", with(pod, "/spec/automountServiceAccountToken", "false")},
        {"mirror-pod-on-a-node",
         with(with(pod, "/metadata/annotations/kubernetes.io~1config.mirror", R"("x")"), "/spec/nodeName", R"("n")")},
        {"claims-to-be-injected", with(pod, "/metadata/labels", R"({"cloudvalkey.dev/injected": "true"})")},
        {"volume-of-our-name", with(pod, "/spec/volumes", R"([{"name": "data", "emptyDir": {}},
            {"name": "cloudvalkey-sessions", "emptyDir": {}}, {"name": "more", "emptyDir": {}}])")},
        {"unix-socket-on", with(pod, "/metadata/annotations/cloudvalkey.dev~1unix-socket", R"("true")")},
        {"unix-socket-off", with(pod, "/metadata/annotations/cloudvalkey.dev~1unix-socket", R"("false")")},
        {"unix-socket-and-mounts",
         with(with(with(pod, "/metadata/annotations/cloudvalkey.dev~1unix-socket", R"("true")"), "/spec/volumes",
                   R"([{"name": "run", "emptyDir": {}}])"),
              "/spec/containers/0/volumeMounts", R"([{"name": "run", "mountPath": "/run/cloudvalkey/"}])")},
        {"connection-called-empty", make_pod("empty, a, a-readers:7000, b:7001/7002")},
        {"clashing-variables", make_pod("a-readers:7000, a:7001/7002")},
        {"declared-sidecar", with(pod, kInit, R"([{"name": "first", "image": "f:1"}, {"name": "cloud-valkey-proxy",
            "image": "auto", "resources": {"limits": {"memory": "99Mi"}}}])")},
        {"declared-in-full", with(with(pod, "/spec/volumes", R"([{"name": "data", "emptyDir": {}}])"), kInit,
                                  R"([{"name": "cloud-valkey-proxy", "image": "mine:2",
            "imagePullPolicy": "Always", "command": ["sh"], "args": ["-c"], "workingDir": "/x", "tty": true,
            "env": [{"name": "CVP_ADMIN_LISTEN", "value": "off"}, {"name": "CVP_LOG_LEVEL", "value": "debug"}],
            "envFrom": [{"configMapRef": {"name": "x"}}], "ports": [{"containerPort": 6379}],
            "lifecycle": {"preStop": {"sleep": {"seconds": 3}}}, "restartPolicy": "Always",
            "securityContext": {"privileged": true},
            "volumeMounts": [{"name": "data", "mountPath": "/data"},
                             {"name": "data", "mountPath": "/etc/cloudvalkey/sessions"},
                             {"name": "data", "mountPath": "/etc/cloudvalkeys"}]},
            {"name": "istio-proxy", "image": "mesh:1", "restartPolicy": "Always"}, {"name": "last", "image": "l:1"}])")},
        {"declared-in-guaranteed",
         with(with(pod, kResources, kOne), kInit, R"([{"name": "cloud-valkey-proxy", "image": "auto"}])")},
        {"image-with-quotes", with(pod, kInit, R"([{"name": "cloud-valkey-proxy", "image": "a\"b\\c"}])")},
        {"variables-of-our-names",
         with(pod, "/spec/containers/0/env",
              R"([{"name": "VALKEY_SESSIONS_HOST", "value": "mine"}, {"name": "A", "value": "b"}])")},
    };
}

/// Cuts the five random characters off "kube-api-access-x7k2p", the volume of the pod's token.
void forget_suffix(json& named) {
    auto& name = named["name"].get_ref<std::string&>();
    const std::string prefix = "kube-api-access-";
    if (name.starts_with(prefix)) name = prefix;
}

/// The elements of a member that is a list, or none.
json::array_t& list_in(json& object, const char* member) {
    static json::array_t none;
    const auto found = object.find(member);
    return found != object.end() && found->is_array() ? found->get_ref<json::array_t&>() : none;
}

}  // namespace

std::vector<SamplePod> make_sample_pods(const std::string& name_space) {
    std::vector<SamplePod> pods;
    const std::string suffix = ".in.json";
    for (const auto& entry : std::filesystem::directory_iterator(source_path("tests/golden/pods"))) {
        const auto file = entry.path().filename().string();
        if (file.ends_with(suffix))
            pods.push_back(
                {file.substr(0, file.size() - suffix.size()), json::parse(read_source("tests/golden/pods/" + file))});
    }
    std::sort(pods.begin(), pods.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (auto& more : {make_pods_with_lists(), make_pods_with_specs()})
        pods.insert(pods.end(), more.begin(), more.end());
    std::set<std::string> names;
    for (auto& [name, pod] : pods) {
        if (!names.insert(name).second) throw std::logic_error("two sample pods are called " + name);
        pod["metadata"]["namespace"] = name_space;
        const auto account = pod["spec"].value("serviceAccountName", "");
        if (account.empty()) continue;
        (void)control_plane().kubectl({"create", "serviceaccount", account, "--namespace=" + name_space});
    }
    return pods;
}

WebhookOutcome ask_webhook(const json& pod, const std::vector<std::string>& image_pull_secrets) {
    const json review = {{"apiVersion", "admission.k8s.io/v1"},
                         {"kind", "AdmissionReview"},
                         {"request",
                          {{"uid", "u"},
                           {"operation", "CREATE"},
                           {"resource", {{"group", ""}, {"version", "v1"}, {"resource", "pods"}}},
                           {"object", pod}}}};
    op::InjectionConfig config;
    config.version = op::version();
    config.proxy_image = "cloud-valkey-proxy:" + std::string(op::version());
    config.image_pull_secrets = image_pull_secrets;
    const auto mutation = op::mutate(review.dump(), config);
    if (!mutation) throw std::runtime_error(mutation.error().context);
    WebhookOutcome outcome{std::string(mutation->result), std::string(mutation->reason), pod};
    if (outcome.result != "injected") return outcome;
    const auto response = json::parse(mutation->review)["response"];
    outcome.pod = pod.patch(json::parse(crypto::base64_decode(response["patch"].get<std::string>()).value()));
    return outcome;
}

json as_webhooks_see(ApiSession& api, const json& pod) {
    const auto name_space = pod["metadata"]["namespace"].get<std::string>();
    auto seen = api.create(pods_of(name_space) + "?dryRun=All", pod);
    if (seen["kind"] != "Pod") return pod;
    for (const auto* key : {"uid", "creationTimestamp", "managedFields", "generation"})
        seen["metadata"].erase(key);
    if (seen["metadata"].contains("generateName")) seen["metadata"].erase("name");
    seen.erase("status");
    return seen;
}

json without_chance(json answer) {
    if (answer["kind"] == "Status") return answer;
    auto& metadata = answer["metadata"];
    for (const auto* key : {"uid", "creationTimestamp", "resourceVersion"})
        metadata.erase(key);
    if (metadata.contains("generateName")) metadata.erase("name");
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
    return answer;
}

}  // namespace cvp::test
