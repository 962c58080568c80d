#pragma once

#include "common/http/message.hpp"
#include "operator/webhook/injection_config.hpp"
#include "operator/webhook/injection_counters.hpp"

namespace cvp::op {

/// Answers one request of the API server: POST /mutate-pods with an AdmissionReview in JSON.
///
/// No I/O. 404, 405, 415 and 400 say what is wrong with a request that is no review; there is no 5xx.
http::Response answer_admission(const http::Request& request, const InjectionConfig& config,
                                InjectionCounters& counters);

}  // namespace cvp::op
