#include "operator/runtime/store.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;

}  // namespace

ObjectKey key_of(const Json& object) {
    return {find_string(object, {"metadata", "namespace"}), find_string(object, {"metadata", "name"})};
}

void Store::drop_managed_fields(Json& object) {
    const auto metadata = object.find("metadata");
    if (metadata == object.end() || !metadata->is_object()) return;
    metadata->erase("managedFields");
    const auto annotations = metadata->find("annotations");
    if (annotations == metadata->end() || !annotations->is_object()) return;
    annotations->erase("kubectl.kubernetes.io/last-applied-configuration");
}

void Store::apply(WatchDelta delta, const OnChange& on_change) {
    switch (delta.kind) {
        case WatchDelta::Kind::list_started:
            return incoming_.clear();
        case WatchDelta::Kind::listed:
            trim_(*delta.object);
            incoming_.insert_or_assign(key_of(*delta.object), pack(*delta.object));
            return;
        case WatchDelta::Kind::list_complete:
            return replace(on_change);
        case WatchDelta::Kind::applied:
            trim_(*delta.object);
            return put(delta.object, on_change);
        case WatchDelta::Kind::deleted:
            return erase(*delta.object, on_change);
    }
}

ObjectPtr Store::find(const ObjectKey& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : unpack(found->second);
}

Store::Kept Store::pack(const Json& object) {
    const auto packed = Json::to_cbor(object);
    // A copy has no room to grow.
    return {find_string(object, {"metadata", "uid"}),
            find_string(object, {"metadata", "resourceVersion"}),
            {packed.begin(), packed.end()}};
}

ObjectPtr Store::unpack(const Kept& kept) {
    return std::make_shared<const Json>(Json::from_cbor(kept.packed));
}

bool Store::is_same_version(const Kept& a, const Kept& b) {
    return !a.version.empty() && a.version == b.version && a.uid == b.uid;
}

/// Versions are decimal numbers without leading zeros, which is promised since 1.35 and has always been so with etcd.
bool Store::is_older(const Kept& a, const Kept& b) {
    const auto& mine = a.version;
    const auto& other = b.version;
    return a.uid == b.uid && (mine.size() != other.size() ? mine.size() < other.size() : mine < other);
}

void Store::put(const ObjectPtr& object, const OnChange& on_change) {
    const auto key = key_of(*object);
    auto kept = pack(*object);
    const auto [slot, is_new] = objects_.try_emplace(key);
    if (!is_new && (is_same_version(slot->second, kept) || is_older(kept, slot->second))) return;
    const auto before = is_new ? nullptr : unpack(slot->second);
    slot->second = std::move(kept);
    on_change({key, before, object});
}

void Store::erase(const Json& object, const OnChange& on_change) {
    const auto key = key_of(object);
    incoming_.erase(key);
    const auto node = objects_.extract(key);
    if (!node.empty()) on_change({key, unpack(node.mapped()), nullptr});
}

void Store::replace(const OnChange& on_change) {
    const auto old = std::exchange(objects_, std::exchange(incoming_, {}));
    synced_ = true;
    for (const auto& [key, before] : old) {
        if (!objects_.contains(key)) on_change({key, unpack(before), nullptr});
    }
    // Changes are told one by one, and not collected: all objects of a long list unpacked would be many megabytes.
    for (const auto& [key, after] : objects_) {
        const auto before = old.find(key);
        if (before == old.end()) {
            on_change({key, nullptr, unpack(after)});
        } else if (!is_same_version(before->second, after)) {
            on_change({key, unpack(before->second), unpack(after)});
        }
    }
}

}  // namespace cvp::op
