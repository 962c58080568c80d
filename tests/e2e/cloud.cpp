#include "tests/e2e/cloud.hpp"

#include <stdexcept>

#include "tests/e2e/node.hpp"
#include "tests/support/http_call.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

constexpr std::uint16_t kAdminPort = 8081;

const std::string& cloud_address() {
    static const auto address = find_object("cloud", "pod/cloud").at("status").at("podIP").get<std::string>();
    return address;
}

}  // namespace

json tell_cloud(const std::string& method, const std::string& path, const json& body) {
    http::Request request;
    request.method = method;
    request.target = "/admin/" + path;
    if (!body.is_null()) request.body = body.dump();
    const auto response = value_or_throw(http_call(cloud_address(), kAdminPort, request));
    if (response.status != 200) throw std::runtime_error(method + " " + path + ": " + response.body);
    return json::parse(response.body, nullptr, false);
}

json ask_valkey(const std::vector<std::string>& words) {
    return tell_cloud("POST", std::string("instances/") + kInstance + ":command", {{"words", words}}).at("reply");
}

}  // namespace cvp::test
