#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/contract/resolved_connection.hpp"
#include "common/providers/provider.hpp"
#include "common/result.hpp"

/// Self-hosted Valkey: its owner says what a cloud says of a managed instance. Pure, and there is nobody to ask.
namespace cvp::providers::endpoints {

inline constexpr std::string_view kProvider = "endpoints";
inline constexpr std::size_t kMaxAddresses = 16;

/// spec.instance.endpoints, checked.
struct Instance {
    std::vector<Endpoint> endpoints;  ///< the primary first, then the readers
    TlsMode tls = TlsMode::required;

    bool operator==(const Instance&) const = default;
};

/// Reads "10.1.2.3:6379", "[2001:db8::1]:6379" or "valkey.example.com:6379" as an endpoint of that role.
/// @errors invalid_argument, naming the forms
Result<Endpoint> parse_address(std::string_view address, EndpointRole role);

/// "10.1.2.3:6379", with brackets round an IPv6 address: what parse_address() reads.
std::string format_address(const Endpoint& endpoint);

/// Decides what the proxy is told. Auth Auto means Password: a server without one must be said to have none. The CA
/// comes from key ca.crt of the connection's Secret, the identity from wishes.server_name or else the dialled address.
/// @param wishes not GoogleIAM: a token is never sent to a server that no cloud vouches for
ResolvedConnection map(const Instance& instance, const Wishes& wishes);

}  // namespace cvp::providers::endpoints
