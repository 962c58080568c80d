#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "tests/emulator/instance_record.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::emulator {

/// What answers at the READER's address.
enum class ReaderKind {
    nobody,   ///< the connection is refused
    primary,  ///< the primary, as one of the live service's possible answers without replicas
    replica,  ///< a replica of its own
};

/// One --instance: NAME[:option[,option]…].
struct InstanceRequest {
    InstanceName name;
    bool has_valkey = false;  ///< start a real one; else it is a record only
    bool has_front = false;   ///< clients of the primary go through a TLS front that can disturb logins
    ReaderKind reader = ReaderKind::nobody;
    std::string primary_ip = "127.0.0.1";  ///< where its Valkey or front listens
    std::string reader_ip = "127.0.0.2";   ///< where readers do; equal to primary_ip, if address= was given
    std::uint16_t port = 0;                ///< of the primary; 0: any free one
    bool has_tls = true;
    bool has_auth = true;
    bool is_cluster = false;  ///< the record says so; the Valkey is a single one all the same
    bool has_shared_ca = false;
    test::Leaf leaf = test::Leaf::good;
    std::string network = "default";
    std::string state = "ACTIVE";
};

/// Reads "projects/p/locations/l/instances/i:valkey,replica,port=16380". Options: valkey, front, replica,
/// reader=primary, address=IP, port=N, tls=off, auth=off, mode=cluster, ca=shared, leaf=NAME, network=NAME, state=NAME.
/// @errors invalid_argument, naming the option
Result<InstanceRequest> parse_instance_request(std::string_view text);

/// Reads "good", "expired", "not-yet-valid", "other-identity", "common-name".
/// @errors invalid_argument, listing them
Result<test::Leaf> parse_leaf(std::string_view text);

/// The record that such an instance starts with; a Valkey's address replaces its endpoints later.
InstanceShape shape_of(const InstanceRequest& request);

}  // namespace cvp::emulator
