#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
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
/// nobody watched comes out as a change like any deletion. Objects are kept packed (CBOR: a parsed one takes four times
/// the memory) and unpacked for whoever asks, some 20 µs each. Owner: the App. One thread.
class Store {
public:
    /// What is kept of an object. The default drops metadata.managedFields, which is often its larger half, and
    /// kubectl's own copy of what was applied.
    using Trim = void (*)(nlohmann::json& object);
    static void drop_managed_fields(nlohmann::json& object);

    /// Is told each change, one after the other, when the store has its new content.
    using OnChange = std::function<void(const StoreChange&)>;

    explicit Store(Trim trim = &Store::drop_managed_fields) : trim_(trim) {}

    /// Takes one step. Objects whose metadata.resourceVersion is the same are no change, and an event that is older
    /// than what is known of its object is none; a list is believed as it is.
    void apply(WatchDelta delta, const OnChange& on_change);

    /// The object, or nullptr.
    ObjectPtr find(const ObjectKey& key) const;

    std::size_t size() const { return objects_.size(); }

    /// Whether a first list is complete.
    bool is_synced() const { return synced_; }

private:
    struct Kept {
        std::string uid;
        std::string version;  ///< metadata.resourceVersion
        std::vector<std::uint8_t> packed;
    };

    static Kept pack(const nlohmann::json& object);
    static ObjectPtr unpack(const Kept& kept);
    static bool is_same_version(const Kept& a, const Kept& b);
    static bool is_older(const Kept& a, const Kept& b);

    void put(const ObjectPtr& object, const OnChange& on_change);
    void erase(const nlohmann::json& object, const OnChange& on_change);
    void replace(const OnChange& on_change);

    Trim trim_;
    std::map<ObjectKey, Kept> objects_;
    std::map<ObjectKey, Kept> incoming_;  ///< of a list that is not complete
    bool synced_ = false;
};

}  // namespace cvp::op
