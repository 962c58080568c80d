#pragma once

#include <string>

#include "common/error.hpp"
#include "common/http/message.hpp"
#include "common/providers/provider.hpp"

namespace cvp::providers {

/// What was asked of a Google API, for the words of a refusal.
struct GoogleCall {
    std::string what;        ///< "instance projects/p/locations/l/instances/i"
    std::string project;     ///< "p"
    std::string api;         ///< "memorystore.googleapis.com"
    std::string role;        ///< "roles/memorystore.viewer": what allows the call
    std::string permission;  ///< "memorystore.instances.get"
};

/// Reads an answer that is not 200: status, `error.status` and `error.details[].reason` decide, Google's prose does not
/// and is not repeated. Bodies that are no JSON (a front end's HTML page) are judged by their status alone.
/// @source reference of google.rpc.Status, ErrorInfo and RetryInfo
Refusal interpret_google_error(const http::Response& response, const GoogleCall& call);

/// Names a fault before any answer: dial, TLS, deadline.
Refusal interpret_transport_error(const Error& error, const GoogleCall& call);

}  // namespace cvp::providers
