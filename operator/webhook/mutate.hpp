#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"
#include "operator/webhook/injection_config.hpp"

namespace cvp::op {

/// An answered review.
struct Mutation {
    std::string review;       ///< the AdmissionReview to send back, JSON
    std::string_view result;  ///< "injected", "refused" or "untouched"; a constant
    std::string_view reason;  ///< why refused or untouched, else empty; a constant
};

/// Answers an AdmissionReview: a pure function of the review and the operator's own configuration.
///
/// mutate(mutate(pod)) = mutate(pod): a pod to which nothing is to be added is left as it is, whatever its label says.
/// @errors invalid_argument if it is no admission.k8s.io/v1 AdmissionReview; the API server then applies failurePolicy
Result<Mutation> mutate(std::string_view review, const InjectionConfig& config);

}  // namespace cvp::op
