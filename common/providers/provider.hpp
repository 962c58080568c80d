#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/contract/resolved_connection.hpp"

namespace cvp::providers {

/// Why a connection cannot be resolved, in the words of the conditions. CONTRACT section 6.
enum class Reason {
    resolved,
    instance_not_found,
    permission_denied,
    api_disabled,
    quota_exhausted,
    cloud_unavailable,
    instance_not_ready,
    network_ambiguous,
    cluster_mode_not_supported,
    token_unprotected,
};

/// "InstanceNotFound", …: condition reasons.
std::string_view to_string(Reason reason);

/// Whether only an edit (of the spec or the instance's kind) can heal it: condition Stalled.
bool needs_an_edit(Reason reason);

/// A failed resolve: the class and one sentence that names the remedy.
struct Refusal {
    Reason reason = Reason::cloud_unavailable;
    std::string message;
    std::optional<std::chrono::seconds> retry_after;  ///< from Retry-After or RetryInfo, where given

    bool operator==(const Refusal&) const = default;
};

/// A step of a resolve: its value or why there is none.
template <class T>
using Resolved = tl::expected<T, Refusal>;

/// How to log in: what the spec says, or as the instance asks for it.
enum class AuthChoice { automatic, google_iam, password, none };

/// "Auto", "GoogleIAM", "Password", "None".
std::string_view to_string(AuthChoice choice);

/// What the owner of a connection decided, on top of what the cloud says. Product-independent.
struct Wishes {
    std::string connection_name;
    std::int64_t generation = 0;  ///< metadata.generation of the ValkeyConnection; 0 where there is none
    std::string network;          ///< the VPC network whose endpoints to take; empty: the only one there is
    AuthChoice auth = AuthChoice::automatic;
    std::string username;  ///< empty: the product's default
    bool allow_unprotected_token = false;
    tls::Verify verify = tls::Verify::full;
    tls::MinVersion min_version = tls::MinVersion::tls1_2;
    std::string server_name;
    ProxySettings proxy;

    bool operator==(const Wishes&) const = default;
};

/// What a resolve comes to: a document, a refusal, or both (a cluster: the document tells the proxy to refuse clients).
struct Outcome {
    std::optional<ResolvedConnection> document;  ///< instance.changed_at is empty: carry_changed_at() fills it
    std::optional<Refusal> refusal;

    bool operator==(const Outcome&) const = default;
};

}  // namespace cvp::providers
