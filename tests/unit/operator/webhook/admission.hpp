#pragma once

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/crypto/base64.hpp"
#include "operator/webhook/mutate.hpp"

/// Pods and the reviews that ask about them.
namespace cvp::op::test {

inline const InjectionConfig kConfig{.version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {}};

/// A pod with one container, "app", that asks for connections.
inline nlohmann::json make_pod(const std::string& connections) {
    using nlohmann::json;
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"generateName", "shop-"}, {"annotations", {{"cloudvalkey.dev/connections", connections}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

/// The review of an API server to which that pod is sent.
inline nlohmann::json make_review(nlohmann::json pod) {
    return {{"apiVersion", "admission.k8s.io/v1"},
            {"kind", "AdmissionReview"},
            {"request",
             {{"uid", "705ab4f5-6393-11e8-b7cc-42010a800002"},
              {"operation", "CREATE"},
              {"resource", {{"group", ""}, {"version", "v1"}, {"resource", "pods"}}},
              {"object", std::move(pod)}}}};
}

/// The response to a review that mutate() must be able to answer.
inline nlohmann::json respond(const nlohmann::json& review, const InjectionConfig& config = kConfig) {
    const auto mutation = mutate(review.dump(), config);
    if (!mutation) throw std::runtime_error(to_string(mutation.error()));
    const auto answer = nlohmann::json::parse(mutation->review);
    EXPECT_EQ(answer["apiVersion"], "admission.k8s.io/v1");
    EXPECT_EQ(answer["kind"], "AdmissionReview");
    EXPECT_EQ(answer["response"]["uid"], review["request"]["uid"]);
    return answer["response"];
}

/// What becomes of a pod that must be admitted.
inline nlohmann::json patched(const nlohmann::json& pod, const InjectionConfig& config = kConfig) {
    const auto response = respond(make_review(pod), config);
    EXPECT_EQ(response["allowed"], true) << response;
    if (!response.contains("patch")) return pod;
    EXPECT_EQ(response["patchType"], "JSONPatch");
    return pod.patch(nlohmann::json::parse(crypto::base64_decode(response["patch"].get<std::string>()).value()));
}

/// Why a pod that must be refused is refused.
inline std::string refusal_of(const nlohmann::json& pod) {
    const auto response = respond(make_review(pod));
    EXPECT_EQ(response["allowed"], false);
    EXPECT_FALSE(response.contains("patch"));
    const auto status = response.value("status", nlohmann::json::object());
    return status.value("code", 0) == 403 ? status.value("message", "") : response.dump();
}

/// The container of a list of a pod that has that name, or null.
inline nlohmann::json container_named(const nlohmann::json& pod, const std::string& name,
                                      const std::string& list = "initContainers") {
    for (const auto& container : pod["spec"].value(list, nlohmann::json::array())) {
        if (container["name"] == name) return container;
    }
    return nullptr;
}

/// The sidecar of a pod.
inline nlohmann::json sidecar_of(const nlohmann::json& pod) {
    return container_named(pod, "cloud-valkey-proxy");
}

}  // namespace cvp::op::test
