#include "operator/reconcile/connection_controller.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "operator/reconcile/config_map.hpp"
#include "operator/runtime/host_name.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// Keys that are worked on at a time. The quota bounds what the cloud sees, so this only keeps one slow call from
/// holding up the others.
constexpr std::size_t kWorkers = 16;

bool is_different(const json& before, const json& after, std::initializer_list<std::string_view> path) {
    const auto* old_value = find_value(before, path);
    const auto* new_value = find_value(after, path);
    if (old_value == nullptr || new_value == nullptr) return old_value != new_value;
    return *old_value != *new_value;
}

WatchFsm::Selection with_our_label() {
    WatchFsm::Selection selection;
    selection.label_selector = "app.kubernetes.io/managed-by=" + std::string(names::kOperator);
    return selection;
}

WatchFsm::Selection injected() {
    WatchFsm::Selection selection;
    selection.label_selector = std::string(names::kInjectedLabel) + "=true";
    return selection;
}

}  // namespace

bool wants_reconcile(const StoreChange& change) {
    if (!change.before || !change.after) return true;
    const auto& before = *change.before;
    const auto& after = *change.after;
    return is_different(before, after, {"metadata", "uid"}) ||
           is_different(before, after, {"metadata", "generation"}) ||
           is_different(before, after, {"metadata", "deletionTimestamp"}) ||
           is_different(before, after, {"metadata", "annotations", names::kRefreshAnnotation});
}

ConnectionController::ConnectionController(KubeApi& api, Cloud& cloud, PlaceSource& place,
                                           std::vector<std::string> namespaces, ConnectionReconciler::Clock clock)
    : cache_(std::move(namespaces)),
      reconciler_(api, cloud, place, cache_, pods_, std::move(clock)),
      controller_("valkeyconnection", reconciler_),
      events_(api, host_name()) {
    reconciler_.set_on_notice(
        [this](const ValkeyConnection& connection, EventText text) { on_notice(connection, std::move(text)); });
    std::uint8_t source = 0;
    for (auto& scope : cache_.scopes()) {
        watchers_.emplace_back(api, valkey_connections(scope.namespace_name), WatchFsm::Selection{}, scope.connections,
                               [this](const StoreChange& change) { on_connection(change); });
        watchers_.emplace_back(api, config_maps(scope.namespace_name), with_our_label(), scope.config_maps,
                               [this](const StoreChange& change) { on_config_map(change); });
        watchers_.emplace_back(api, pods(scope.namespace_name), injected(),
                               [this, source](WatchDelta delta) { on_pod(delta, source); });
        ++source;
    }
}

void ConnectionController::watch(TaskGroup& tasks) {
    for (auto& watcher : watchers_)
        tasks.spawn("watch of connections", watcher.run());
}

void ConnectionController::reconcile(TaskGroup& tasks) {
    controller_.start(tasks, kWorkers);
    tasks.spawn("events", events_.run());
}

void ConnectionController::stop() {
    reconciler_.stop();
    controller_.stop();
    events_.stop();
    for (auto& watcher : watchers_)
        watcher.stop();
}

void ConnectionController::on_connection(const StoreChange& change) {
    if (wants_reconcile(change)) controller_.add(change.key);
}

void ConnectionController::on_config_map(const StoreChange& change) {
    const auto connection = connection_of_config_map(change.key);
    if (connection) controller_.add(*connection);
}

void ConnectionController::on_pod(const WatchDelta& delta, std::uint8_t source) {
    for (const auto& connection : pods_.apply(delta, source))
        controller_.add(connection);
}

void ConnectionController::on_notice(const ValkeyConnection& connection, EventText text) {
    EventSubject subject{std::string(names::kApiVersion), std::string(names::kConnectionKind),
                         connection.namespace_name, connection.name, connection.uid};
    events_.record(std::move(subject), std::move(text));
}

}  // namespace cvp::op
