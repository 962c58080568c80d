#pragma once

#include <iosfwd>
#include <string>

#include "common/http/url.hpp"
#include "common/providers/provider.hpp"
#include "operator/api/valkey_connection.hpp"
#include "operator/reconcile/instance_lookup.hpp"

namespace cvp::op {

/// `cloud-valkey-operator resolve -f FILE`: what it needs.
struct ResolveOptions {
    std::string file;  ///< a ValkeyConnection's manifest; "-": standard input
    http::Origin api;  ///< of Memorystore
    http::Origin metadata_server;
};

/// Looks a Memorystore instance up once, with its CA, and maps it: what the reconciler does, without a cluster.
Awaitable<providers::Outcome> resolve_once(InstanceLookup& lookup, const ValkeyConnection& connection);

/// Prints the resolved document of a manifest to `out`, everything else to `err`.
/// @return the exit code: 0; 64 if the file is missing or wrong (every fault with its key path); 1 if the instance
///         cannot be resolved
int run_resolve(const ResolveOptions& options, std::ostream& out, std::ostream& err);

}  // namespace cvp::op
