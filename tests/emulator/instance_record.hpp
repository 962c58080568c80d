#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace cvp::emulator {

/// The parts of "projects/P/locations/L/instances/I".
struct InstanceName {
    std::string project;
    std::string location;
    std::string instance;

    std::string full() const;
    /// "projects/P/locations/L"
    std::string parent() const;
};

/// @errors invalid_argument
Result<InstanceName> parse_instance_name(std::string_view full_name);

/// One PSC connection of an instance, as the API shows it. Empty strings and port 0: the field is absent.
struct PscConnection {
    std::string type;  ///< CONNECTION_TYPE_…
    std::string ip;
    std::uint16_t port = 0;
    std::string connection_id;
    std::string forwarding_rule;
    std::string service_attachment;
};

/// What an instance is like, in the API's own words.
struct InstanceShape {
    InstanceName name;
    std::string uid;
    std::string create_time;
    std::string update_time;
    std::string state = "ACTIVE";
    std::string mode = "CLUSTER_DISABLED";
    std::string authorization_mode = "IAM_AUTH";
    std::string transit_encryption_mode = "SERVER_AUTHENTICATION";
    std::string server_ca_mode = "GOOGLE_MANAGED_PER_INSTANCE_CA";  ///< shown as unspecified while TLS is off
    std::string engine_version = "VALKEY_8_0";
    std::string node_type = "HIGHMEM_MEDIUM";
    double node_size_gb = 13;
    int shard_count = 1;
    int replica_count = 0;
    std::string zone;
    std::string maintenance_version = "MEMORYSTORE_20260217_02_00";
    std::string network = "default";
    std::vector<PscConnection> connections;
};

/// A shape as Google's defaults have it: PRIMARY and READER (or, in cluster mode, DISCOVERY and the data endpoint) on
/// port 6379 of two addresses, with ids that follow from the name.
InstanceShape default_shape(InstanceName name, bool cluster = false);

/// The instance as instances.get answers it, enums by name: JSON text.
/// @source tests/golden/memorystore/README.md
std::string build_instance(const InstanceShape& shape);

/// `document` with `patch` merged in (RFC 7396): null removes a field.
/// @errors invalid_argument if either is no JSON object
Result<std::string> merge_instance(std::string_view document, std::string_view patch);

/// `document` with the address and port of its connections of `type` replaced.
std::string with_endpoint(std::string_view document, std::string_view type, const std::string& ip, std::uint16_t port);

/// A string field of the document's top level, or "".
std::string instance_field(std::string_view document, std::string_view field);

}  // namespace cvp::emulator
