#include "operator/runtime/store.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;

const std::string& version_of(const Json& object) {
    return find_string(object, {"metadata", "resourceVersion"});
}

bool is_same_object(const Json& a, const Json& b) {
    return find_string(a, {"metadata", "uid"}) == find_string(b, {"metadata", "uid"});
}

bool is_same_version(const Json& a, const Json& b) {
    return !version_of(a).empty() && version_of(a) == version_of(b) && is_same_object(a, b);
}

/// Versions are decimal numbers without leading zeros, which is promised since 1.35 and has always been so with etcd.
bool is_older(const Json& a, const Json& b) {
    const auto& mine = version_of(a);
    const auto& other = version_of(b);
    return is_same_object(a, b) && (mine.size() != other.size() ? mine.size() < other.size() : mine < other);
}

}  // namespace

ObjectKey key_of(const Json& object) {
    return {find_string(object, {"metadata", "namespace"}), find_string(object, {"metadata", "name"})};
}

void Store::drop_managed_fields(Json& object) {
    if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
        metadata->erase("managedFields");
    }
}

std::vector<StoreChange> Store::apply(WatchDelta delta) {
    switch (delta.kind) {
        case WatchDelta::Kind::list_started:
            incoming_.clear();
            return {};
        case WatchDelta::Kind::listed:
            trim_(*delta.object);
            incoming_.insert_or_assign(key_of(*delta.object), delta.object);
            return {};
        case WatchDelta::Kind::list_complete:
            return replace();
        case WatchDelta::Kind::applied:
            trim_(*delta.object);
            return put(delta.object);
        case WatchDelta::Kind::deleted:
            return erase(*delta.object);
    }
    return {};
}

ObjectPtr Store::find(const ObjectKey& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
}

std::vector<StoreChange> Store::put(const ObjectPtr& object) {
    const auto key = key_of(*object);
    auto& slot = objects_[key];
    if (slot && (is_same_version(*slot, *object) || is_older(*object, *slot))) return {};
    auto before = std::exchange(slot, object);
    return {StoreChange{key, std::move(before), object}};
}

std::vector<StoreChange> Store::erase(const Json& object) {
    const auto key = key_of(object);
    incoming_.erase(key);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return {};
    StoreChange change{found->first, std::move(found->second), nullptr};
    objects_.erase(found);
    return {std::move(change)};
}

std::vector<StoreChange> Store::replace() {
    std::vector<StoreChange> changes;
    for (const auto& [key, before] : objects_) {
        if (!incoming_.contains(key)) changes.push_back({key, before, nullptr});
    }
    for (const auto& [key, after] : incoming_) {
        const auto before = find(key);
        if (!before || !is_same_version(*before, *after)) changes.push_back({key, before, after});
    }
    objects_ = std::exchange(incoming_, {});
    synced_ = true;
    return changes;
}

}  // namespace cvp::op
