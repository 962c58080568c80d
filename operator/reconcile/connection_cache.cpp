#include "operator/reconcile/connection_cache.hpp"

#include <utility>

namespace cvp::op {

ConnectionCache::ConnectionCache(std::vector<std::string> namespaces) {
    if (namespaces.empty()) namespaces.emplace_back();
    for (auto& name : namespaces)
        scopes_.emplace_back().namespace_name = std::move(name);
}

const ConnectionCache::Scope* ConnectionCache::scope_of(const ObjectKey& key) const {
    for (const auto& scope : scopes_) {
        if (scope.namespace_name.empty() || scope.namespace_name == key.namespace_name) return &scope;
    }
    return nullptr;
}

ObjectPtr ConnectionCache::find_connection(const ObjectKey& key) const {
    const auto* scope = scope_of(key);
    return scope == nullptr ? nullptr : scope->connections.find(key);
}

ObjectPtr ConnectionCache::find_config_map(const ObjectKey& key) const {
    const auto* scope = scope_of(key);
    return scope == nullptr ? nullptr : scope->config_maps.find(key);
}

bool ConnectionCache::is_synced(const ObjectKey& key) const {
    const auto* scope = scope_of(key);
    return scope != nullptr && scope->connections.is_synced() && scope->config_maps.is_synced();
}

}  // namespace cvp::op
