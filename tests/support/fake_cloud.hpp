#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/async/event.hpp"
#include "operator/cloud/cloud.hpp"
#include "operator/cloud/place.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {

/// A cloud of scripted answers that counts its calls. What has no answer is 404.
class FakeCloud final : public op::Cloud {
public:
    Awaitable<Result<http::Response>> get(std::string target) override {
        calls.push_back(target);
        if (hold) co_await released.wait();
        if (failure) co_return fail(*failure);
        const auto found = answers.find(target);
        if (found == answers.end()) co_return http::make_response(404, "application/json", "{}");
        co_return found->second;
    }

    void answer(const std::string& target, unsigned status, const nlohmann::json& body) {
        answers[target] = http::make_response(status, "application/json", body.dump());
    }

    std::map<std::string, http::Response> answers;
    std::vector<std::string> calls;
    std::optional<Error> failure;  ///< of every call
    bool hold = false;             ///< calls wait for `released`
    Event released;
};

class FakePlace final : public op::PlaceSource {
public:
    Awaitable<Result<op::Place>> find() override { co_return place; }

    Result<op::Place> place = op::Place{"my-project", "us-central1"};
};

/// instances.get of a standalone instance with TLS and IAM: the recorded open one with those two turned on.
inline nlohmann::json iam_instance(const std::string& primary = "10.128.0.8") {
    auto instance = nlohmann::json::parse(read_source("tests/golden/memorystore/instance-standalone-open.json"));
    instance["authorizationMode"] = "IAM_AUTH";
    instance["transitEncryptionMode"] = "SERVER_AUTHENTICATION";
    instance["serverCaMode"] = "GOOGLE_MANAGED_PER_INSTANCE_CA";
    instance["endpoints"][0]["connections"][0]["pscAutoConnection"]["ipAddress"] = primary;
    return instance;
}

/// certificateAuthority of one chain.
inline nlohmann::json ca_answer(const std::string& pem) {
    return {{"managedServerCa", {{"caCerts", {{{"certificates", {pem}}}}}}}};
}

}  // namespace cvp::test
