#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/runtime/object_key.hpp"

namespace cvp::op {

/// An object as last seen; shared, never changed in place.
using ObjectPtr = std::shared_ptr<const nlohmann::json>;

/// One step of what a list and watch tells.
struct WatchDelta {
    enum class Kind {
        list_started,   ///< a list begins; no object
        listed,         ///< an object of it; the same one may come again
        list_complete,  ///< all objects of it were told: what was not told is gone; no object
        applied,        ///< an object was added or changed
        deleted,        ///< an object was deleted, also from a list that is not complete; its last state
    };
    Kind kind = Kind::applied;
    std::shared_ptr<nlohmann::json> object;  ///< handed over: the store may trim it
};

/// What changed in a store. At least one side is there.
struct StoreChange {
    ObjectKey key;
    ObjectPtr before;  ///< nullptr: it is new
    ObjectPtr after;   ///< nullptr: it is gone
};

/// metadata.namespace and metadata.name of an object; empty where they are missing.
ObjectKey key_of(const nlohmann::json& object);

/// The objects of one kind, kept by a Watcher.
///
/// A list replaces the content at once, when it is complete, so readers never see half of it; what disappeared while
/// nobody watched comes out as a change like any deletion. Owner: the App. One thread.
class Store {
public:
    /// What is kept of an object. The default drops metadata.managedFields, which is often its larger half.
    using Trim = void (*)(nlohmann::json& object);
    static void drop_managed_fields(nlohmann::json& object);

    explicit Store(Trim trim = &Store::drop_managed_fields) : trim_(trim) {}

    /// Takes one step. Objects whose metadata.resourceVersion is the same are no change, and an event that is older
    /// than what is known of its object is none; a list is believed as it is.
    std::vector<StoreChange> apply(WatchDelta delta);

    /// The object, or nullptr.
    ObjectPtr find(const ObjectKey& key) const;

    const std::map<ObjectKey, ObjectPtr>& objects() const { return objects_; }

    /// Whether a first list is complete.
    bool is_synced() const { return synced_; }

private:
    std::vector<StoreChange> put(const ObjectPtr& object);
    std::vector<StoreChange> erase(const nlohmann::json& object);
    std::vector<StoreChange> replace();

    Trim trim_;
    std::map<ObjectKey, ObjectPtr> objects_;
    std::map<ObjectKey, ObjectPtr> incoming_;  ///< of a list that is not complete
    bool synced_ = false;
};

}  // namespace cvp::op
