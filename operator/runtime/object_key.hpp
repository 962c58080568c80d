#pragma once

#include <compare>
#include <string>

namespace cvp::op {

/// Names an object within its kind: what queues, stores and reconcilers speak of.
struct ObjectKey {
    std::string namespace_name;  ///< "" for cluster-scoped kinds
    std::string name;

    auto operator<=>(const ObjectKey&) const = default;
};

/// "shop/sessions"; the name alone where there is no namespace.
inline std::string to_string(const ObjectKey& key) {
    return key.namespace_name.empty() ? key.name : key.namespace_name + "/" + key.name;
}

}  // namespace cvp::op
