#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "common/async/task_group.hpp"
#include "operator/reconcile/connection_cache.hpp"
#include "operator/reconcile/connection_reconciler.hpp"
#include "operator/reconcile/pod_counter.hpp"
#include "operator/runtime/controller.hpp"
#include "operator/runtime/event_recorder.hpp"
#include "operator/runtime/watcher.hpp"

namespace cvp::op {

/// Whether a change of a connection is more than our own status write: new, gone, another spec, another value of the
/// refresh annotation, being deleted.
bool wants_reconcile(const StoreChange& change);

/// Everything about ValkeyConnections: the watches, the cache, the queue, the reconciler and its Events.
///
/// Owner: the App, which calls watch() on every replica (so that a new leader starts warm) and reconcile() when it has
/// the lease; after stop() it joins the TaskGroup. What it is given outlives it. One thread.
class ConnectionController {
public:
    /// @param namespaces that are watched; empty: all
    ConnectionController(KubeApi& api, Cloud& cloud, PlaceSource& place, std::vector<std::string> namespaces,
                         ConnectionReconciler::Clock clock = ConnectionReconciler::Clock());
    ConnectionController(const ConnectionController&) = delete;
    ConnectionController& operator=(const ConnectionController&) = delete;

    void watch(TaskGroup& tasks);
    void reconcile(TaskGroup& tasks);
    void stop();

    const Controller& controller() const { return controller_; }
    const ConnectionReconciler& reconciler() const { return reconciler_; }
    const EventRecorder& events() const { return events_; }

private:
    void on_connection(const StoreChange& change);
    void on_config_map(const StoreChange& change);
    void on_pod(const WatchDelta& delta, std::uint8_t source);
    void on_notice(const ValkeyConnection& connection, EventText text);

    ConnectionCache cache_;
    PodCounter pods_;
    ConnectionReconciler reconciler_;
    Controller controller_;
    EventRecorder events_;
    std::deque<Watcher> watchers_;
};

}  // namespace cvp::op
