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
constexpr int kShortestTimeout = 290;  ///< seconds, asked of the server …
constexpr int kTimeoutSpread = 60;     ///< … so that many watches do not end together
constexpr auto kGrace = 5s;            ///< for the server's own end to reach us

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
    if (state_ == State::listing) {
        List list;
        list.options.label_selector = selection_.label_selector;
        list.options.field_selector = selection_.field_selector;
        list.options.continue_token = continue_token_;
        return list;
    }
    Watch watch;
    watch.options.label_selector = selection_.label_selector;
    watch.options.field_selector = selection_.field_selector;
    watch.options.resource_version = resource_version_;
    watch.options.timeout =
        std::chrono::seconds(std::uniform_int_distribution<int>(0, kTimeoutSpread)(random_) + kShortestTimeout);
    watch.time_limit = watch.options.timeout + kGrace;
    return watch;
}

std::vector<WatchDelta> WatchFsm::on_page(Json list) {
    std::vector<WatchDelta> deltas;
    if (continue_token_.empty()) deltas.push_back({WatchDelta::Kind::list_started, nullptr});
    if (const auto items = list.find("items"); items != list.end() && items->is_array()) {
        for (auto& item : *items)
            deltas.push_back(delta(WatchDelta::Kind::listed, std::move(item)));
    }
    continue_token_ = find_string(list, {"metadata", "continue"});
    if (continue_token_.empty()) {
        resource_version_ = find_string(list, {"metadata", "resourceVersion"});
        state_ = State::ready_to_watch;
        deltas.push_back({WatchDelta::Kind::list_complete, nullptr});
    }
    went_well();
    return deltas;
}

void WatchFsm::on_opened(TimePoint now) {
    state_ = State::watching;
    opened_at_ = now;
    has_events_ = false;
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
    const auto& version = find_string(*object, {"metadata", "resourceVersion"});
    if (version.empty()) {
        on_failure(malformed("a watch event without a resourceVersion"), now);
        return {};
    }
    resource_version_ = version;
    has_events_ = true;
    has_expired_ = false;
    went_well();
    std::vector<WatchDelta> deltas;
    if (type == "ADDED" || type == "MODIFIED") {
        deltas.push_back(delta(WatchDelta::Kind::applied, std::move(*object)));
    } else if (type == "DELETED") {
        deltas.push_back(delta(WatchDelta::Kind::deleted, std::move(*object)));
    }
    return deltas;  // BOOKMARK, and whatever later servers add: the version alone
}

void WatchFsm::on_closed(TimePoint now) {
    if (!has_events_ && now - opened_at_ < kShortWatch) {
        on_failure(malformed("the watch ended at once and without an event"), now);
        return;
    }
    state_ = State::ready_to_watch;
}

void WatchFsm::on_failure(const KubeError& error, TimePoint now) {
    if (!last_failure_) faulty_since_ = now;
    last_failure_ = error;
    if (error.error.code == ErrorCode::gone && !has_expired_) {
        has_expired_ = true;
        list_again();
        return;
    }
    const bool must_list = error.error.code == ErrorCode::gone || error.error.code == ErrorCode::not_found ||
                           now - faulty_since_ >= kFaultyTooLong;
    if (state_ == State::listing) {
        if (error.error.code == ErrorCode::gone) continue_token_.clear();
    } else if (must_list) {
        list_again();
    } else {
        state_ = State::ready_to_watch;
    }
    back_off(now, error.retry_after.value_or(0s));
}

void WatchFsm::list_again() {
    state_ = State::listing;
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
