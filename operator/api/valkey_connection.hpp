#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json_fwd.hpp>

#include "common/fault.hpp"
#include "common/providers/endpoints.hpp"
#include "common/providers/provider.hpp"
#include "operator/api/connection_status.hpp"

namespace cvp::op {

/// spec.instance.memorystoreValkey.
struct MemorystoreValkeySpec {
    std::string name;     ///< short, or "projects/P/locations/L/instances/I"
    std::string network;  ///< "": the only one that the instance has endpoints in

    bool operator==(const MemorystoreValkeySpec&) const = default;
};

/// spec: what its owner wants. CONTRACT section 6; only what the CRD has.
struct ValkeyConnectionSpec {
    std::variant<MemorystoreValkeySpec, providers::endpoints::Instance> instance;
    providers::AuthChoice auth = providers::AuthChoice::automatic;
    std::string username;  ///< where it is not in the Secret
    bool allow_unprotected_token = false;
    tls::Verify verify = tls::Verify::full;
    tls::MinVersion min_version = tls::MinVersion::tls1_2;
    std::string server_name;  ///< "": the certificate must carry what is dialled
    ProxySettings proxy;      ///< but for warm_spares, which only a document says
    std::chrono::milliseconds refresh_interval = std::chrono::minutes(10);

    bool operator==(const ValkeyConnectionSpec&) const = default;
};

/// A ValkeyConnection as the API server holds it.
struct ValkeyConnection {
    std::string namespace_name;
    std::string name;
    std::string uid;
    std::int64_t generation = 0;
    bool is_being_deleted = false;
    std::string refresh;  ///< annotation cloudvalkey.dev/refresh: a new value asks for a refresh at once
    ValkeyConnectionSpec spec;
    ConnectionStatus status;

    /// The instance if it is one of Memorystore, which a cloud must be asked for; else nullptr.
    const MemorystoreValkeySpec* memorystore() const { return std::get_if<MemorystoreValkeySpec>(&spec.instance); }
    /// The instance if it is self-hosted: then there is nobody to ask; else nullptr.
    const providers::endpoints::Instance* self_hosted() const {
        return std::get_if<providers::endpoints::Instance>(&spec.instance);
    }

    /// What the provider's mapping is told.
    providers::Wishes wishes() const;

    /// "cloudvalkey-<name>".
    std::string config_map_name() const;
};

/// An object read: faults empty means usable.
struct ParsedValkeyConnection {
    ValkeyConnection connection;
    std::vector<Fault> faults;
    std::vector<Fault> warnings;
};

/// Reads an object of the API server. The CRD's schema has been there before, so faults are rare: a CRD that is older
/// or newer than this operator.
ParsedValkeyConnection parse_valkey_connection(const nlohmann::json& object);

/// Reads a manifest as a user writes it (YAML or JSON, one document); every fault comes with its key path.
ParsedValkeyConnection parse_valkey_connection_manifest(std::string_view yaml);

}  // namespace cvp::op
