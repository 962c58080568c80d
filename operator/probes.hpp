#pragma once

#include <optional>
#include <string>

#include "common/http/message.hpp"

namespace cvp::op {

/// What readiness depends on. The caches do not count: injection needs none of them.
struct Readiness {
    bool is_serving = false;  ///< the webhook listens with a leaf
    bool is_trusted = false;  ///< the API server accepts that leaf (its CA is in the live caBundle)
    bool is_shutting_down = false;
};

/// Answers /livez and /readyz. Liveness is the answer itself: the loop turned.
http::Response answer_probe(const http::Request& request, const Readiness& readiness);

}  // namespace cvp::op
