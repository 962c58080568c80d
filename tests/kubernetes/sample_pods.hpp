#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"

namespace cvp::test {

/// A pod as somebody sends it.
struct SamplePod {
    std::string name;  ///< of the sample, for messages
    nlohmann::json pod;
};

/// Every pod of tests/golden/pods, and some that only a real API server makes interesting, ready for a namespace of the
/// test's own. Makes the ServiceAccounts that they name.
std::vector<SamplePod> make_sample_pods(const std::string& name_space);

/// What the webhook makes of a pod.
struct WebhookOutcome {
    std::string result;  ///< "injected", "refused" or "untouched"
    std::string reason;  ///< why refused or untouched
    nlohmann::json pod;  ///< as it would be stored: patched, or as it was sent
};

/// Runs the webhook's own code over a pod, with the images and the version that render_chart() writes.
WebhookOutcome ask_webhook(const nlohmann::json& pod, const std::vector<std::string>& image_pull_secrets = {});

/// A pod with what the API server adds before it calls a webhook: defaults, the token's volume. Itself where the API
/// server refuses it. Ask while nothing of ours is in force.
nlohmann::json as_webhooks_see(ApiSession& api, const nlohmann::json& pod);

/// An answer of the API server to a POST of a pod, without what differs between two pods in any case: uid, times, a
/// generated name, the name of the token's volume.
nlohmann::json without_chance(nlohmann::json answer);

}  // namespace cvp::test
