#include "operator/runtime/watch_fsm.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr std::chrono::milliseconds kFirstDelay = 800ms;
constexpr std::chrono::milliseconds kLongestDelay = 30s;
constexpr auto kQuiet = 2min;          ///< without a fault: the backoff starts again
constexpr auto kFaultyTooLong = 1min;  ///< of a watch: list again
constexpr auto kShortWatch = 1s;       ///< closed sooner without an event: a fault
/// Marks the bookmark that ends the initial events of a WatchList.
constexpr auto kInitialEventsEnd = "k8s.io/initial-events-end";

WatchDelta delta(WatchDelta::Kind kind, Json object) {
    return {kind, std::make_shared<Json>(std::move(object))};
}

KubeError malformed(const char* what) {
    KubeError error;
    error.error = {ErrorCode::protocol_error, what};
    return error;
}

}  // namespace

WatchFsm::WatchFsm(Selection selection, std::uint32_t seed)
    : selection_(std::move(selection)), random_(seed), next_delay_(kFirstDelay) {}

WatchFsm::Action WatchFsm::next() {
    if (sleep_) return Sleep{*std::exchange(sleep_, std::nullopt)};
    if (state_ != State::listing || !in_pages_) return make_watch();
    List list;
    list.options.label_selector = selection_.label_selector;
    list.options.field_selector = selection_.field_selector;
    list.options.continue_token = continue_token_;
    return list;
}

WatchFsm::Watch WatchFsm::make_watch() {
    Watch watch;
    watch.options.label_selector = selection_.label_selector;
    watch.options.field_selector = selection_.field_selector;
    watch.options.send_initial_events = state_ == State::listing;
    if (state_ != State::listing) watch.options.resource_version = resource_version_;
    std::uniform_int_distribution<std::chrono::seconds::rep> spread(0, times_.spread.count());
    watch.options.timeout = times_.shortest + std::chrono::seconds(spread(random_));
    watch.time_limit = watch.options.timeout + times_.grace;
    return watch;
}

std::vector<WatchDelta> WatchFsm::on_list_opened() {
    if (!continue_token_.empty()) return {};
    return {{WatchDelta::Kind::list_started, nullptr}};
}

std::vector<WatchDelta> WatchFsm::on_item(Json item) {
    return {delta(WatchDelta::Kind::listed, std::move(item))};
}

std::vector<WatchDelta> WatchFsm::on_list_end(ListEnd end) {
    went_well();
    continue_token_ = std::move(end.continue_token);
    if (!continue_token_.empty()) return {};
    state_ = State::ready_to_watch;
    return complete_list(std::move(end.resource_version));
}

std::vector<WatchDelta> WatchFsm::complete_list(std::string version) {
    resource_version_ = std::move(version);
    return {{WatchDelta::Kind::list_complete, nullptr}};
}

std::vector<WatchDelta> WatchFsm::on_opened(TimePoint now) {
    is_initial_ = state_ == State::listing;
    state_ = State::watching;
    opened_at_ = now;
    has_events_ = false;
    if (!is_initial_) return {};
    return {{WatchDelta::Kind::list_started, nullptr}};
}

std::vector<WatchDelta> WatchFsm::on_event(Json event, TimePoint now) {
    const auto type = find_string(event, {"type"});
    const auto object = event.find("object");
    if (object == event.end() || !object->is_object()) {
        on_failure(malformed("a watch event without an object"), now);
        return {};
    }
    if (type == "ERROR") {
        on_failure(make_kube_error("watch", object->dump(-1, ' ', false, Json::error_handler_t::replace)), now);
        return {};
    }
    auto version = find_string(*object, {"metadata", "resourceVersion"});
    if (version.empty()) {
        on_failure(malformed("a watch event without a resourceVersion"), now);
        return {};
    }
    has_events_ = true;
    went_well();
    if (is_initial_) return on_initial_event(type, std::move(*object));
    has_expired_ = false;
    resource_version_ = std::move(version);
    if (type == "ADDED" || type == "MODIFIED") return {delta(WatchDelta::Kind::applied, std::move(*object))};
    if (type == "DELETED") return {delta(WatchDelta::Kind::deleted, std::move(*object))};
    return {};  // BOOKMARK, and whatever later servers add: the version alone
}

/// Before the end of the list no version is taken: a watch from there would miss what was not told yet.
std::vector<WatchDelta> WatchFsm::on_initial_event(const std::string& type, Json object) {
    if (type == "ADDED" || type == "MODIFIED") return {delta(WatchDelta::Kind::listed, std::move(object))};
    if (type == "DELETED") return {delta(WatchDelta::Kind::deleted, std::move(object))};
    if (find_string(object, {"metadata", "annotations", kInitialEventsEnd}) != "true") return {};
    is_initial_ = false;
    return complete_list(find_string(object, {"metadata", "resourceVersion"}));
}

void WatchFsm::on_closed(TimePoint now) {
    if (is_initial_) {
        on_failure(malformed("the watch ended before the list was complete"), now);
    } else if (!has_events_ && now - opened_at_ < kShortWatch) {
        on_failure(malformed("the watch ended at once and without an event"), now);
    } else {
        state_ = State::ready_to_watch;
    }
}

void WatchFsm::on_failure(const KubeError& error, TimePoint now) {
    const auto code = error.error.code;
    if (state_ == State::listing && !in_pages_ && code == ErrorCode::invalid_argument) {
        in_pages_ = true;  // no fault: this server cannot
        return;
    }
    if (!last_failure_) faulty_since_ = now;
    last_failure_ = error;
    const bool was_listing = state_ == State::listing || is_initial_;
    const bool must_list =
        code == ErrorCode::gone || code == ErrorCode::not_found || now - faulty_since_ >= kFaultyTooLong;
    if (code == ErrorCode::gone && !std::exchange(has_expired_, true)) {
        list_again();
        return;
    }
    if (was_listing) {
        state_ = State::listing;
        if (code == ErrorCode::gone) continue_token_.clear();
    } else if (must_list) {
        list_again();
    } else {
        state_ = State::ready_to_watch;
    }
    is_initial_ = false;
    back_off(now, error.retry_after.value_or(0s));
}

void WatchFsm::list_again() {
    state_ = State::listing;
    is_initial_ = false;
    continue_token_.clear();
}

void WatchFsm::went_well() {
    last_failure_.reset();
}

void WatchFsm::back_off(TimePoint now, std::chrono::milliseconds at_least) {
    if (now - last_fault_ > kQuiet) next_delay_ = kFirstDelay;
    last_fault_ = now;
    std::uniform_int_distribution<std::chrono::milliseconds::rep> jitter(0, next_delay_.count());
    sleep_ = std::max(next_delay_ + std::chrono::milliseconds(jitter(random_)), at_least);
    next_delay_ = std::min(next_delay_ * 2, kLongestDelay);
}

}  // namespace cvp::op
