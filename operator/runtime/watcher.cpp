#include "operator/runtime/watcher.hpp"

#include <random>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/runtime/json_lines.hpp"

namespace cvp::op {
namespace {

constexpr auto kPieceLimit = std::chrono::seconds(60);  ///< between two pieces of a list

Watcher::Sink keep(Store& store, Watcher::OnChange on_change) {
    return [&store, on_change = std::move(on_change)](WatchDelta delta) { store.apply(std::move(delta), on_change); };
}

}  // namespace

Watcher::Watcher(KubeApi& api, ResourcePath collection, WatchFsm::Selection selection, Sink sink)
    : api_(api),
      collection_(std::move(collection)),
      sink_(std::move(sink)),
      fsm_(std::move(selection), std::random_device{}()) {}

Watcher::Watcher(KubeApi& api, ResourcePath collection, WatchFsm::Selection selection, Store& store, OnChange on_change)
    : Watcher(api, std::move(collection), std::move(selection), keep(store, std::move(on_change))) {}

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
    auto opened = co_await api_.list(collection_, std::move(options));
    if (stopped_) co_return;
    if (!opened) {
        failed(opened.error());
        co_return;
    }
    stream_ = std::move(*opened);
    take(fsm_.on_list_opened());
    co_await read_page(*stream_);
    stream_.reset();
}

Awaitable<void> Watcher::read_page(http::BodyStream& stream) {
    const auto what = "list " + collection_.describe();
    ListDecoder decoder;
    while (true) {
        const auto piece = co_await stream.read_some(SteadyClock::now() + kPieceLimit);
        if (stopped_) co_return;
        if (!piece) co_return failed(make_kube_error(what, piece.error()));
        if (piece->empty()) break;
        decoder.feed(*piece);
        while (!stopped_) {
            auto item = decoder.next();
            if (!item) co_return failed(make_kube_error(what, item.error()));
            if (!*item) break;
            take(fsm_.on_item(std::move(**item)));
        }
    }
    auto end = decoder.finish();
    if (!end) co_return failed(make_kube_error(what, end.error()));
    take(fsm_.on_list_end(std::move(*end)));
}

Awaitable<void> Watcher::watch(WatchFsm::Watch watch) {
    const auto limit = watch.time_limit;
    const bool is_list = watch.options.send_initial_events;
    auto opened = co_await api_.watch(collection_, std::move(watch.options));
    if (stopped_) co_return;
    if (!opened) {
        failed(opened.error());
        co_return;
    }
    if (!is_list && !last_complaint_.empty()) {
        log::info("watching again", {{"kind", collection_.describe()}});
        last_complaint_.clear();
    }
    stream_ = std::move(*opened);
    const auto now = SteadyClock::now();
    take(fsm_.on_opened(now));
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
        const auto kind = delta.kind;
        sink_(std::move(delta));
        if (kind == WatchDelta::Kind::list_started) listed_ = 0;
        if (kind == WatchDelta::Kind::listed) ++listed_;
        if (kind == WatchDelta::Kind::list_complete) completed();
    }
    if (on_step_) on_step_();
}

void Watcher::completed() {
    if (!std::exchange(was_complete_, true) || !last_complaint_.empty()) {
        log::info("the list is complete", {{"kind", collection_.describe()}, {"objects", listed_}});
    }
    last_complaint_.clear();
}

void Watcher::failed(const KubeError& error) {
    fsm_.on_failure(error, SteadyClock::now());
    if (fsm_.last_failure()) complain(error);  // else it was an answer and no fault: no WatchList here
}

void Watcher::complain(const KubeError& error) {
    if (error.error.code == ErrorCode::gone) return;  // the server's housekeeping: we list again
    auto text = to_string(error.error);
    if (text == last_complaint_) return;
    log::warn("cannot list and watch, trying again", {{"kind", collection_.describe()}, {"error", text}});
    last_complaint_ = std::move(text);
}

}  // namespace cvp::op
