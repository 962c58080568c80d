#pragma once

#include <string>
#include <string_view>

namespace cvp::op {

/// Names a collection or an object of the Kubernetes API.
///
/// It has constructors, so it is safe as a temporary in a co_await'ed call.
struct ResourcePath {
    ResourcePath(std::string group_, std::string version_, std::string plural_, std::string namespace_name_ = {},
                 std::string name_ = {});

    std::string group;           ///< "" for the core group
    std::string version;         ///< "v1", "v1alpha1"
    std::string plural;          ///< "configmaps"
    std::string namespace_name;  ///< "" for cluster-scoped objects, and for a collection in all namespaces
    std::string name;            ///< "" for a collection
    std::string subresource;     ///< "status", or ""

    /// The same object's subresource.
    ResourcePath with_subresource(std::string_view subresource_) const;

    /// The same kind's collection in the same namespace.
    ResourcePath collection() const;

    /// Path of the request: "/apis/cloudvalkey.dev/v1alpha1/namespaces/shop/valkeyconnections/sessions".
    std::string target() const;

    /// "valkeyconnections.cloudvalkey.dev shop/sessions", for messages.
    std::string describe() const;

    bool operator==(const ResourcePath&) const = default;
};

/// The kinds that the operator works with. `name` empty: the collection; `namespace_name` empty: in all namespaces.
ResourcePath config_maps(std::string namespace_name, std::string name = {});
ResourcePath leases(std::string namespace_name, std::string name = {});
ResourcePath namespaces(std::string name = {});
ResourcePath pods(std::string namespace_name, std::string name = {});
ResourcePath secrets(std::string namespace_name, std::string name = {});
ResourcePath mutating_webhook_configurations(std::string name = {});
ResourcePath validating_admission_policies(std::string name = {});
ResourcePath validating_admission_policy_bindings(std::string name = {});
ResourcePath mutating_admission_policies(std::string name = {});         ///< API server 1.36 and up
ResourcePath mutating_admission_policy_bindings(std::string name = {});  ///< API server 1.36 and up
ResourcePath valkey_connections(std::string namespace_name, std::string name = {});

}  // namespace cvp::op
