#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/http/message.hpp"
#include "common/providers/google_error.hpp"
#include "common/providers/instance_name.hpp"
#include "common/providers/provider.hpp"

/// Memorystore for Valkey: which calls to make and what the answers mean. Pure: the operator sends the requests through
/// cpprestsdk, the lone proxy through its own client.
///
/// Expected flow: GET instance_target() → interpret_instance() → GET ca_target(), if there is one → interpret_ca() →
/// map(). Every call needs `Authorization: Bearer` with scope kScope.
/// @source google/cloud/memorystore/v1/memorystore.proto; cloud.google.com/memorystore/docs/valkey
namespace cvp::providers::memorystore {

inline constexpr std::string_view kProvider = "memorystoreValkey";
inline constexpr std::string_view kDefaultApiBase = "https://memorystore.googleapis.com";
inline constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";

/// Enums of the API. `unspecified` is an absent or zero value, `unknown` one that is newer than this code.
enum class State { unspecified, unknown, creating, active, updating, deleting, migrating };
enum class Mode { unspecified, unknown, standalone, cluster, cluster_disabled };
enum class Authorization { unspecified, unknown, disabled, iam, token };
enum class Encryption { unspecified, unknown, disabled, server_authentication };
enum class CaMode { unspecified, unknown, per_instance, shared, customer };
enum class ConnectionType { unspecified, unknown, discovery, primary, reader };

/// One address at which the instance answers, in one VPC network.
struct Connection {
    ConnectionType type = ConnectionType::unspecified;
    std::string ip_address;
    std::uint16_t port = 6379;  ///< the API leaves it out on data endpoints
    std::string network;        ///< "projects/P/global/networks/N"
    bool is_user_created = false;
    bool is_gone = false;  ///< pscConnectionStatus NOT_FOUND

    bool operator==(const Connection&) const = default;
};

/// What an instance says of itself, as far as we use it.
struct InstanceFacts {
    State state = State::unspecified;
    Mode mode = Mode::unspecified;
    Authorization authorization = Authorization::unspecified;
    Encryption encryption = Encryption::unspecified;
    CaMode ca_mode = CaMode::unspecified;
    std::vector<Connection> connections;  ///< of all endpoints[]; of discoveryEndpoints[] where only those exist

    bool has_tls() const { return encryption != Encryption::disabled; }
    /// Whether clients must follow redirections: said, or not denied by a primary endpoint.
    bool is_cluster() const;

    bool operator==(const InstanceFacts&) const = default;
};

/// What is asked, for refusals of calls about this instance.
GoogleCall describe_call(const InstanceName& name);

/// "/v1/projects/…/instances/my-valkey".
std::string instance_target(const InstanceName& name);

/// Where the CA is: the instance's own or the region's shared one. Nothing where TLS is off, for a customer's own CA
/// (it is in the user's Secret), and while the instance comes or goes: map() refuses it, and so may the API the call.
std::optional<std::string> ca_target(const InstanceName& name, const InstanceFacts& facts);

/// Reads the answer to instance_target(), whatever its status. Enums may be words or numbers.
Resolved<InstanceFacts> interpret_instance(const http::Response& response, const InstanceName& name);

/// Reads the answer to ca_target(): the union of all certificates of all chains, each once, all to be trusted.
Resolved<std::string> interpret_ca(const http::Response& response, const InstanceName& name);

/// Decides what the proxy is told. Deterministic: the order of the API's lists does not matter.
/// @param ca_pem of interpret_ca(), or the last good one; not used where ca_target() is nothing
Outcome map(const InstanceName& name, const InstanceFacts& facts, const std::string& ca_pem, const Wishes& wishes);

}  // namespace cvp::providers::memorystore
