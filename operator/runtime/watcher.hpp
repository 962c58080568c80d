#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "operator/kube/api.hpp"
#include "operator/runtime/store.hpp"
#include "operator/runtime/watch_fsm.hpp"

namespace cvp::op {

/// Tells what is and what happens in a collection of the API server: drives a WatchFsm over KubeApi.
///
/// Owner: the App, which spawns run() once, and after stop() joins it before it destroys the Watcher. What it is given
/// outlives it. One thread.
class Watcher {
public:
    /// Takes each step in order. Must not throw and must not block.
    using Sink = std::function<void(WatchDelta)>;
    /// Called for each change, after the store has it. Must not throw and must not block.
    using OnChange = std::function<void(const StoreChange&)>;

    Watcher(KubeApi& api, ResourcePath collection, WatchFsm::Selection selection, Sink sink);

    /// Keeps a Store equal to the collection.
    Watcher(KubeApi& api, ResourcePath collection, WatchFsm::Selection selection, Store& store, OnChange on_change);

    /// Other times than usual, before run(): for tests.
    void set_times(WatchFsm::Times times) { fsm_.set_times(times); }

    /// Until stop().
    Awaitable<void> run();
    void stop();

    /// Called after each step that the sink has taken, also where nothing changed: a list that is complete and empty.
    void set_on_step(std::function<void()> on_step) { on_step_ = std::move(on_step); }

private:
    Awaitable<void> list(ListOptions options);
    Awaitable<void> read_page(http::BodyStream& stream);
    Awaitable<void> watch(WatchFsm::Watch watch);
    Awaitable<void> follow(http::BodyStream& stream, SteadyClock::time_point deadline);
    Awaitable<void> pause(SteadyClock::duration delay);
    void take(std::vector<WatchDelta> deltas);
    void completed();
    void failed(const KubeError& error);
    void complain(const KubeError& error);

    KubeApi& api_;
    ResourcePath collection_;
    Sink sink_;
    std::function<void()> on_step_;
    WatchFsm fsm_;
    Event wake_;
    std::unique_ptr<http::BodyStream> stream_;  ///< of the page or the watch that runs
    std::size_t listed_ = 0;                    ///< objects of the list that is not complete
    bool was_complete_ = false;                 ///< a first list
    std::string last_complaint_;                ///< what was logged since something last went well
    bool stopped_ = false;
};

}  // namespace cvp::op
