#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operator/api/pod_status.hpp"
#include "operator/runtime/object_key.hpp"
#include "operator/runtime/store.hpp"

namespace cvp::op {

/// Counts injected pods and ready sidecars per connection, from the steps of one watch. Pure.
///
/// Of a pod it keeps its uid and three numbers (about 100 bytes, whatever the pod's size): namespace, connections and
/// version are those of its group, and pods of one workload share one. Finished pods do not count. Of failures it keeps
/// the latest of each connection for as long as the connection has a pod.
/// Owner: the ConnectionController, whose watcher feeds it. One thread.
class PodCounter {
public:
    /// Takes one step of a watch of pods with our label.
    /// @param source which watch it is of, where several namespaces are watched
    /// @return the connections of which something changed
    std::set<ObjectKey> apply(const WatchDelta& delta, std::uint8_t source = 0);

    /// What is known of a connection's pods; nothing before the first list of every watch that began is complete.
    std::optional<PodStatus> find(const ObjectKey& connection) const;

    std::size_t size() const { return pods_.size(); }

private:
    using Uid = std::array<std::uint64_t, 2>;
    struct HashUid {
        std::size_t operator()(const Uid& uid) const { return uid[0] ^ (uid[1] * 0x9e3779b97f4a7c15U); }
    };
    struct Pod {
        std::uint32_t group = 0;
        std::uint8_t source = 0;
        bool is_ready = false;
        bool is_listed = false;  ///< told by the list that is running
    };
    struct Group {
        std::string key;
        std::string version;
        std::vector<ObjectKey> connections;
        std::uint32_t total = 0;
        std::uint32_t ready = 0;
    };

    std::uint32_t group_of(const nlohmann::json& pod);
    void put(const nlohmann::json& pod, std::uint8_t source, std::set<ObjectKey>& changed);
    void erase(const Uid& uid, std::set<ObjectKey>& changed);
    void leave(const Pod& pod, std::set<ObjectKey>& changed);
    void sweep(std::uint8_t source, std::set<ObjectKey>& changed);
    void note_failure(const nlohmann::json& pod, const Group& group, std::set<ObjectKey>& changed);

    std::unordered_map<Uid, Pod, HashUid> pods_;
    std::map<std::uint32_t, Group> groups_;
    std::map<std::string, std::uint32_t> group_ids_;
    std::map<ObjectKey, std::set<std::uint32_t>> groups_of_;
    std::map<ObjectKey, PodFailure> failures_;
    std::map<std::uint8_t, bool> is_synced_;  ///< of each watch that began
    std::uint32_t next_group_ = 0;
};

}  // namespace cvp::op
