#include "operator/webhook/mutate.hpp"

#include <variant>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_bounds.hpp"
#include "operator/webhook/admission_review.hpp"
#include "operator/webhook/injection.hpp"
#include "operator/webhook/pod_patch.hpp"
#include "operator/webhook/warnings.hpp"

namespace cvp::op {

using nlohmann::json;

Result<Mutation> mutate(std::string_view review, const InjectionConfig& config) {
    if (!is_within_bounds(review))
        return fail(ErrorCode::invalid_argument, "AdmissionReview: nested too deeply, or of too many values");
    const auto document = json::parse(review, nullptr, /*allow_exceptions=*/false);
    if (document.is_discarded()) return fail(ErrorCode::invalid_argument, "AdmissionReview: not valid JSON");
    const auto request = read_review(document);
    if (!request) return fail(request.error());
    if (!request->creates_pod) return Mutation{admit(request->uid), "untouched", "NotAPod"};

    const auto& pod = *request->object;
    const auto decision = decide(pod);
    const auto* inject = std::get_if<Inject>(&decision);
    const auto warnings = collect_warnings(pod, inject);
    if (const auto* refusal = std::get_if<Refuse>(&decision)) {
        const auto message =
            std::string(names::kSidecar).append(": ").append(refusal->reason).append(": ").append(refusal->message);
        return Mutation{refuse(request->uid, message, warnings), "refused", refusal->reason};
    }
    if (const auto* untouched = std::get_if<Untouched>(&decision))
        return Mutation{admit(request->uid, warnings), "untouched", untouched->reason};
    const auto patch = build_pod_patch(pod, *inject, config);
    if (patch.empty()) return Mutation{admit(request->uid, warnings), "untouched", "AlreadyInjected"};
    return Mutation{admit_patched(request->uid, patch, warnings), "injected", ""};
}

}  // namespace cvp::op
