#pragma once

#include <string>
#include <string_view>

#include "common/credentials/token.hpp"
#include "common/http/message.hpp"
#include "common/http/url.hpp"

/// What the answers of a GCE or GKE metadata server mean: pure, without I/O.
/// @source cloud.google.com/compute/docs/metadata, golang.org/x/oauth2/google, GKE Workload Identity
namespace cvp::metadata {

/// Which identity a token stands for.
enum class IdentityKind {
    service_account,  ///< a Google service account or a user: Memorystore can log it in
    workload_pool,    ///< "PROJECT.svc.id.goog": a GKE ServiceAccount without a linked Google one; Memorystore cannot
};

/// Where the server is: GCE_METADATA_HOST's "host[:port]", or 169.254.169.254 if that is empty (the address, because
/// the name would need DNS at start).
/// @errors invalid_argument, naming the variable
Result<http::Origin> parse_host(std::string_view gce_metadata_host);

/// Judges an answer: its body without surrounding white space, if the status is 200 and the answer really comes from a
/// metadata server.
///
/// @param what the noun for errors: "project id", "token"
/// @errors permission_denied (403) and not_found (404), with the remedy where one is known; unavailable (499, 5xx);
///         resource_exhausted (429); protocol_error (no Metadata-Flavor: something else answers there)
Result<std::string> read_answer(std::string_view what, const http::Response& response);

/// Reads `{"access_token":…,"expires_in":…,"token_type":"Bearer"}`.
/// @errors protocol_error, never quoting the body; also when expires_in is not above zero
Result<Token> parse_token(std::string_view json, SystemClock::time_point now);

/// Region of "us-central1", "us-central1-a" or "projects/123/zones/us-central1-a".
/// @errors protocol_error if it is none of them
Result<std::string> parse_region(std::string_view location);

IdentityKind identity_kind(std::string_view email);

/// Empty for an identity that can log in; else one sentence with the remedy, for the log and /status.
std::string identity_warning(std::string_view email);

}  // namespace cvp::metadata
