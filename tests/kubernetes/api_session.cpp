#include "tests/kubernetes/api_session.hpp"

#include <stdexcept>
#include <utility>

#include "operator/kube/kubeconfig.hpp"
#include "tests/kubernetes/administrator.hpp"
#include "tests/support/async.hpp"

namespace cvp::test {
namespace {

/// Deleting a thousand pods is one call.
constexpr auto kTimeLimit = std::chrono::minutes(2);

op::KubeConfig admin_config() {
    return op::load_kubeconfig(admin_kubeconfig()).value();
}

}  // namespace

ApiSession::ApiSession()
    : client_(io_, admin_config().server.origin, op::load_kube_credentials(admin_config()).value().tls) {}

http::Response ApiSession::send(const std::string& method, const std::string& target, const std::string& body,
                                const std::string& content_type) {
    http::Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    if (!body.empty()) request.headers.set("Content-Type", content_type);
    auto response = run(io_, client_.send(std::move(request), SteadyClock::now() + kTimeLimit), kTimeLimit);
    if (!response) throw std::runtime_error(method + " " + target + ": " + response.error().context);
    return std::move(*response);
}

nlohmann::json ApiSession::create(const std::string& collection, const nlohmann::json& object) {
    return nlohmann::json::parse(send("POST", collection, object.dump()).body);
}

nlohmann::json ApiSession::get(const std::string& target) {
    const auto response = send("GET", target);
    if (response.status != 200) throw std::runtime_error("GET " + target + ": " + response.body);
    return nlohmann::json::parse(response.body);
}

bool has_mutating_policies(ApiSession& api) {
    const auto group = api.get("/apis/admissionregistration.k8s.io/v1");
    for (const auto& kind : group["resources"]) {
        if (kind["name"] == "mutatingadmissionpolicies") return true;
    }
    return false;
}

std::string pods_of(const std::string& name_space) {
    return "/api/v1/namespaces/" + name_space + "/pods";
}

}  // namespace cvp::test
