// The admission handler: an input is a review, or else a pod for which a review is made. Whatever it is, it is answered
// or refused as malformed; a patch applies, is complete, takes nothing away, and leaves nothing to do.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/crypto/base64.hpp"
#include "common/json_access.hpp"
#include "operator/webhook/mutate.hpp"
#include "tests/fuzz/invariant.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;

const op::InjectionConfig kConfig{.version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {"ours"}};

constexpr std::size_t kMaxWarnings = 8;
constexpr std::size_t kMaxWarning = 256;

std::string make_review(std::string_view pod) {
    return std::string(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u",)") +
           R"("operation":"CREATE","resource":{"group":"","version":"v1","resource":"pods"},"object":)" +
           std::string(pod) + "}}";
}

/// The response, after what must hold for every one.
json respond(const op::Mutation& mutation, const json& request) {
    const auto review = json::parse(mutation.review);
    const auto& response = review.at("response");
    require(response.at("uid") == request.at("uid"), "the uid is echoed");
    require(response.at("allowed").is_boolean(), "there is a decision");
    require((mutation.result == "refused") != response.at("allowed").get<bool>(), "refused is not allowed");
    require((mutation.result == "injected") == response.contains("patch"), "injected has a patch");
    const auto warnings = response.value("warnings", json::array());
    require(warnings.size() <= kMaxWarnings, "warnings are few");
    for (const auto& warning : warnings)
        require(warning.get_ref<const std::string&>().size() <= kMaxWarning, "warnings are short");
    return response;
}

/// Whether every element of a list with a name is still there.
bool keeps_names(const json& before, const json& after) {
    for (const auto& element : before) {
        const auto& name = find_string(element, {"name"});
        if (!name.empty() && index_of_named(after, name) < 0) return false;
    }
    return true;
}

void check_patched(const json& pod, const json& response) {
    require(response.at("patchType") == "JSONPatch", "the patch says what it is");
    const auto operations =
        json::parse(crypto::base64_decode(response.at("patch").get_ref<const std::string&>()).value());
    const auto patched = pod.patch(operations);  // throws if it does not apply

    const auto& init_containers = find_array(patched, {"spec", "initContainers"});
    const auto sidecar = index_of_named(init_containers, names::kSidecar);
    require(sidecar >= 0, "the sidecar is there");
    require(find_string(init_containers[static_cast<std::size_t>(sidecar)], {"restartPolicy"}) == "Always",
            "it is a native sidecar");
    require(find_string(patched, {"metadata", "labels", names::kInjectedLabel}) == "true", "the pod is labelled");
    for (const auto* list : {"containers", "initContainers", "volumes", "imagePullSecrets"})
        require(keeps_names(find_array(pod, {"spec", list}), find_array(patched, {"spec", list})), list);

    const auto again = op::mutate(make_review(patched.dump()), kConfig);
    require(again && again->reason == "AlreadyInjected", "nothing is left to do");
}

void check(const std::string& review, const op::Mutation& mutation) {
    const auto request = json::parse(review).at("request");
    const auto response = respond(mutation, request);
    if (response.contains("patch")) check_patched(request.at("object"), response);
}

}  // namespace
}  // namespace cvp::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string review(reinterpret_cast<const char*>(data), size);
    auto mutation = cvp::op::mutate(review, cvp::test::kConfig);
    if (!mutation) {
        cvp::test::require(!mutation.error().context.empty(), "a malformed review is told why");
        review = cvp::test::make_review(review);
        mutation = cvp::op::mutate(review, cvp::test::kConfig);
    }
    if (mutation) cvp::test::check(review, *mutation);
    return 0;
}
