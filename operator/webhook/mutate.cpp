#include "operator/webhook/mutate.hpp"

#include <variant>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "operator/webhook/admission_review.hpp"
#include "operator/webhook/injection.hpp"
#include "operator/webhook/patch.hpp"
#include "operator/webhook/sidecar.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

json build_patch(const json& pod, const Inject& inject, const InjectionConfig& config) {
    Patch patch(pod);
    patch.set("/metadata/labels", names::kInjectedLabel, "true");
    patch.set("/metadata/annotations", names::kStatusAnnotation, build_status(inject, config));
    // First of all: other init containers may use the connection, and they start in order.
    patch.prepend("/spec/initContainers", build_sidecar(pod, inject, config));
    for (auto& volume : build_volumes(inject))
        patch.put("/spec/volumes", std::move(volume));
    for (const auto& secret : config.image_pull_secrets)
        patch.put("/spec/imagePullSecrets", {{"name", secret}});
    return patch.operations();
}

}  // namespace

Result<Mutation> mutate(std::string_view review, const InjectionConfig& config) {
    const auto document = json::parse(review, nullptr, /*allow_exceptions=*/false);
    if (document.is_discarded()) return fail(ErrorCode::invalid_argument, "AdmissionReview: not valid JSON");
    const auto request = read_review(document);
    if (!request) return fail(request.error());
    if (!request->creates_pod) return Mutation{admit(request->uid), "untouched", "NotAPod"};

    const auto decision = decide(*request->object);
    if (const auto* refusal = std::get_if<Refuse>(&decision)) {
        const auto message =
            std::string(names::kSidecar).append(": ").append(refusal->reason).append(": ").append(refusal->message);
        return Mutation{refuse(request->uid, message), "refused", refusal->reason};
    }
    if (const auto* untouched = std::get_if<Untouched>(&decision))
        return Mutation{admit(request->uid), "untouched", untouched->reason};
    const auto patch = build_patch(*request->object, std::get<Inject>(decision), config);
    return Mutation{admit_patched(request->uid, patch), "injected", ""};
}

}  // namespace cvp::op
