#include "operator/runtime/watcher.hpp"

#include <random>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/runtime/json_lines.hpp"

namespace cvp::op {

Watcher::Watcher(KubeApi& api, ResourcePath collection, WatchFsm::Selection selection, Store& store, OnChange on_change)
    : api_(api),
      collection_(std::move(collection)),
      store_(store),
      on_change_(std::move(on_change)),
      fsm_(std::move(selection), std::random_device{}()) {}

Awaitable<void> Watcher::run() {
    while (!stopped_) {
        auto action = fsm_.next();
        if (auto* wanted = std::get_if<WatchFsm::List>(&action)) {
            co_await list(std::move(wanted->options));
        } else if (auto* watched = std::get_if<WatchFsm::Watch>(&action)) {
            co_await watch(std::move(*watched));
        } else {
            co_await pause(std::get<WatchFsm::Sleep>(action).delay);
        }
    }
}

void Watcher::stop() {
    stopped_ = true;
    if (stream_) stream_->close();
    wake_.notify_all();
}

Awaitable<void> Watcher::list(ListOptions options) {
    auto page = co_await api_.list(collection_, std::move(options));
    if (stopped_) co_return;
    if (!page) {
        failed(page.error());
        co_return;
    }
    const bool was_synced = store_.is_synced();
    take(fsm_.on_page(std::move(*page)));
    if (!last_complaint_.empty() || (!was_synced && store_.is_synced())) {
        log::info("the list is complete", {{"kind", collection_.describe()}, {"objects", store_.objects().size()}});
        last_complaint_.clear();
    }
}

Awaitable<void> Watcher::watch(WatchFsm::Watch watch) {
    const auto limit = watch.time_limit;
    auto opened = co_await api_.watch(collection_, std::move(watch.options));
    if (stopped_) co_return;
    if (!opened) {
        failed(opened.error());
        co_return;
    }
    if (!last_complaint_.empty()) log::info("watching again", {{"kind", collection_.describe()}});
    last_complaint_.clear();
    stream_ = std::move(*opened);
    const auto now = SteadyClock::now();
    fsm_.on_opened(now);
    co_await follow(*stream_, now + limit);
    stream_.reset();
}

Awaitable<void> Watcher::follow(http::BodyStream& stream, SteadyClock::time_point deadline) {
    JsonLines lines;
    while (!stopped_ && fsm_.is_watching()) {
        const auto piece = co_await stream.read_some(deadline);
        if (stopped_) co_return;
        const auto now = SteadyClock::now();
        if (!piece && piece.error().code != ErrorCode::timeout) {
            failed(make_kube_error("watch " + collection_.describe(), piece.error()));
            co_return;
        }
        if (!piece || piece->empty()) {
            fsm_.on_closed(now);
            co_return;
        }
        lines.feed(*piece);
        while (!stopped_ && fsm_.is_watching()) {
            auto event = lines.next();
            if (!event) {
                failed(make_kube_error("watch " + collection_.describe(), event.error()));
                co_return;
            }
            if (!*event) break;
            take(fsm_.on_event(std::move(**event), now));
        }
    }
    if (fsm_.last_failure()) complain(*fsm_.last_failure());
}

Awaitable<void> Watcher::pause(SteadyClock::duration delay) {
    const auto deadline = SteadyClock::now() + delay;
    while (!stopped_ && SteadyClock::now() < deadline)
        co_await wake_.wait_until(deadline);
}

void Watcher::take(std::vector<WatchDelta> deltas) {
    for (auto& delta : deltas) {
        for (const auto& change : store_.apply(std::move(delta)))
            on_change_(change);
    }
    if (on_step_) on_step_();
}

void Watcher::failed(const KubeError& error) {
    fsm_.on_failure(error, SteadyClock::now());
    complain(error);
}

void Watcher::complain(const KubeError& error) {
    if (error.error.code == ErrorCode::gone) return;  // the server's housekeeping: we list again
    auto text = to_string(error.error);
    if (text == last_complaint_) return;
    log::warn("cannot list and watch, trying again", {{"kind", collection_.describe()}, {"error", text}});
    last_complaint_ = std::move(text);
}

}  // namespace cvp::op
