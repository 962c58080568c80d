#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"

/// The envelope that the API server puts round a call. Only admission.k8s.io/v1: what every API server from 1.16 sends.
namespace cvp::op {

/// What of a review is needed to answer it.
struct AdmissionRequest {
    std::string uid;                         ///< echoed in the answer
    bool creates_pod = false;                ///< operation CREATE on pods, no subresource
    const nlohmann::json* object = nullptr;  ///< the object as it would be stored; points into the review
};

/// Reads the request out of a review, which must outlive the result.
/// @errors invalid_argument, naming the field
Result<AdmissionRequest> read_review(const nlohmann::json& review);

/// Sentences that the API server passes on to whoever sent the object, whatever becomes of it.
using Warnings = std::vector<std::string>;

/// Renders the answer that admits the object as it is.
std::string admit(std::string_view uid, const Warnings& warnings = {});

/// Renders the answer that admits the object with a JSON Patch applied.
std::string admit_patched(std::string_view uid, const nlohmann::json& operations, const Warnings& warnings = {});

/// Renders the answer that refuses the object: kubectl and the owner's Events show `message` as it is.
std::string refuse(std::string_view uid, std::string_view message, const Warnings& warnings = {});

}  // namespace cvp::op
