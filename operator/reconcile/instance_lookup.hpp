#pragma once

#include <string>

#include "common/providers/memorystore_valkey.hpp"
#include "operator/api/valkey_connection.hpp"
#include "operator/cloud/cloud.hpp"
#include "operator/cloud/place.hpp"

namespace cvp::op {

/// Asks the cloud about an instance: the one place where the operator drives common/providers.
///
/// Owner: the reconciler or the command line; `cloud` and `place` outlive it. Every call is one request at most.
class InstanceLookup {
public:
    InstanceLookup(Cloud& cloud, PlaceSource& place) : cloud_(cloud), place_(place) {}

    /// The full name; a short one is completed with the place where we run.
    Awaitable<providers::Resolved<providers::InstanceName>> find_name(std::string name);

    Awaitable<providers::Resolved<providers::memorystore::InstanceFacts>> fetch_instance(providers::InstanceName name);

    /// @param target of ca_target()
    Awaitable<providers::Resolved<std::string>> fetch_ca(providers::InstanceName name, std::string target);

private:
    Awaitable<providers::Resolved<http::Response>> ask(providers::InstanceName name, std::string target);

    Cloud& cloud_;
    PlaceSource& place_;
};

}  // namespace cvp::op
