#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "common/http/client.hpp"

namespace cvp::test {

/// Talks to the API server of admin_kubeconfig() as its administrator, byte for byte: no client tidies up what a test
/// sends, and a thousand calls cost no process. Calls block, one at a time.
class ApiSession {
public:
    ApiSession();

    /// Sends a request and returns the answer whatever its status. Throws if there is none.
    http::Response send(const std::string& method, const std::string& target, const std::string& body = {},
                        const std::string& content_type = "application/json");

    /// POSTs to a collection and returns the object, or the Status that refuses it.
    nlohmann::json create(const std::string& collection, const nlohmann::json& object);

    /// GETs an object or a list. Throws if it is not there.
    nlohmann::json get(const std::string& target);

private:
    asio::io_context io_{1};
    http::Client client_;
};

/// Whether the API server has MutatingAdmissionPolicy (1.36 and up): what the chart's injection.mode Policy needs.
bool has_mutating_policies(ApiSession& api);

/// The path of the pods of a namespace.
std::string pods_of(const std::string& name_space);

}  // namespace cvp::test
