#pragma once

#include <deque>
#include <string>
#include <vector>

#include "operator/runtime/store.hpp"

namespace cvp::op {

/// The connections and our ConfigMaps as the watches last saw them, in all namespaces or in some.
///
/// Owner: the ConnectionController, whose watchers fill it. One thread.
class ConnectionCache {
public:
    /// What one pair of watches keeps.
    struct Scope {
        std::string namespace_name;  ///< "": all namespaces
        Store connections;
        Store config_maps;
    };

    /// @param namespaces empty: all
    explicit ConnectionCache(std::vector<std::string> namespaces);

    /// The object, or nullptr.
    ObjectPtr find_connection(const ObjectKey& key) const;
    /// The ConfigMap with our label, or nullptr.
    ObjectPtr find_config_map(const ObjectKey& key) const;

    /// Whether what is about `key` is complete: before that nothing may be concluded from an object's absence.
    bool is_synced(const ObjectKey& key) const;

    /// The scopes; their number and addresses never change.
    std::deque<Scope>& scopes() { return scopes_; }

private:
    const Scope* scope_of(const ObjectKey& key) const;

    std::deque<Scope> scopes_;
};

}  // namespace cvp::op
