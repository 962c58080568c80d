#include "operator/webhook/admission_review.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/crypto/base64.hpp"
#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr const char* kApiVersion = "admission.k8s.io/v1";
constexpr const char* kKind = "AdmissionReview";

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string render(std::string_view uid, json response, const Warnings& warnings) {
    response["uid"] = uid;
    if (!warnings.empty()) response["warnings"] = warnings;
    return dump({{"apiVersion", kApiVersion}, {"kind", kKind}, {"response", std::move(response)}});
}

}  // namespace

Result<AdmissionRequest> read_review(const json& review) {
    const auto bad = [](std::string what) {
        return fail(ErrorCode::invalid_argument, "AdmissionReview: " + std::move(what));
    };
    if (find_string(review, {"apiVersion"}) != kApiVersion) return bad("apiVersion: must be admission.k8s.io/v1");
    if (find_string(review, {"kind"}) != kKind) return bad("kind: must be AdmissionReview");
    const auto* request = find_value(review, {"request"});
    if (request == nullptr || !request->is_object()) return bad("request: must be an object");

    AdmissionRequest result;
    result.uid = find_string(*request, {"uid"});
    if (result.uid.empty()) return bad("request.uid: must be a string that is not empty");
    result.creates_pod =
        find_string(*request, {"operation"}) == "CREATE" && find_string(*request, {"resource", "group"}).empty() &&
        find_string(*request, {"resource", "resource"}) == "pods" && find_string(*request, {"subResource"}).empty();
    result.object = find_value(*request, {"object"});
    if (result.creates_pod && (result.object == nullptr || !result.object->is_object()))
        return bad("request.object: must be a pod");
    return result;
}

std::string admit(std::string_view uid, const Warnings& warnings) {
    return render(uid, {{"allowed", true}}, warnings);
}

std::string admit_patched(std::string_view uid, const json& operations, const Warnings& warnings) {
    return render(uid,
                  {{"allowed", true}, {"patchType", "JSONPatch"}, {"patch", crypto::base64_encode(dump(operations))}},
                  warnings);
}

std::string refuse(std::string_view uid, std::string_view message, const Warnings& warnings) {
    return render(uid, {{"allowed", false}, {"status", {{"code", 403}, {"reason", "Forbidden"}, {"message", message}}}},
                  warnings);
}

}  // namespace cvp::op
