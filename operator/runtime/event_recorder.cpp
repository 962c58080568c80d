#include "operator/runtime/event_recorder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/log/log.hpp"
#include "common/printable.hpp"
#include "common/rfc3339.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr std::size_t kMostPending = 1000;
constexpr std::size_t kMaxNote = 1024;
constexpr std::size_t kMaxInstance = 128;
constexpr std::string_view kEllipsis = "…";

/// At most so many bytes, no character cut in two.
std::string bounded(const std::string& text, std::size_t most) {
    if (text.size() <= most) return text;
    return std::string(whole_characters(text, most - kEllipsis.size())).append(kEllipsis);
}

}  // namespace

json build_event(const EventSubject& subject, const EventText& text, const std::string& name,
                 const std::string& reporting_instance, SystemClock::time_point now) {
    return {{"apiVersion", "events.k8s.io/v1"},
            {"kind", "Event"},
            {"metadata", {{"name", name}, {"namespace", subject.namespace_name}}},
            {"eventTime", format_rfc3339_micro(now)},
            {"reportingController", names::kOperator},
            {"reportingInstance", reporting_instance.substr(0, kMaxInstance)},
            {"action", text.action},
            {"reason", text.reason},
            {"type", text.is_warning ? "Warning" : "Normal"},
            {"note", bounded(text.note, kMaxNote)},
            {"regarding",
             {{"apiVersion", subject.api_version},
              {"kind", subject.kind},
              {"namespace", subject.namespace_name},
              {"name", subject.name},
              {"uid", subject.uid}}}};
}

void EventRecorder::record(EventSubject subject, EventText text) {
    if (stopped_) return;
    if (pending_.size() >= kMostPending) {
        ++counters_.dropped;
        return;
    }
    pending_.push_back({std::move(subject), std::move(text), clock_()});
    wake_.notify_all();
}

Awaitable<void> EventRecorder::run() {
    while (!stopped_) {
        if (pending_.empty()) {
            co_await wake_.wait();
            continue;
        }
        const auto event = std::move(pending_.front());
        pending_.pop_front();
        co_await write(event);
    }
}

void EventRecorder::stop() {
    stopped_ = true;
    wake_.notify_all();
}

Awaitable<void> EventRecorder::write(const Pending& event) {
    auto verdict = filter_.judge(event.subject.uid, event.text, SteadyClock::now());
    if (verdict.kind == EventFilter::Verdict::Kind::drop) {
        ++counters_.dropped;
        co_return;
    }
    if (verdict.kind == EventFilter::Verdict::Kind::count) {
        const bool is_done = co_await count(event, std::move(verdict.name), verdict.count);
        if (is_done) co_return;
    }
    co_await create(event);
}

Awaitable<void> EventRecorder::create(const Pending& event) {
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(event.when.time_since_epoch());
    last_name_ = std::max(last_name_ + 1, static_cast<std::uint64_t>(nanoseconds.count()));
    const auto name = fmt::format("{}.{:x}", event.subject.name, last_name_);
    ResourcePath path("events.k8s.io", "v1", "events", event.subject.namespace_name);
    auto object = build_event(event.subject, event.text, name, instance_, event.when);
    const auto created = co_await api_.create(std::move(path), std::move(object));
    if (!created) co_return failed(event, created.error());
    filter_.stored(event.subject.uid, event.text, name);
    ++counters_.written;
}

/// @return false: there is no such Event any more
Awaitable<bool> EventRecorder::count(const Pending& event, std::string name, int count) {
    ResourcePath path("events.k8s.io", "v1", "events", event.subject.namespace_name, std::move(name));
    json patch{{"series", {{"count", count}, {"lastObservedTime", format_rfc3339_micro(event.when)}}}};
    const auto patched = co_await api_.patch(std::move(path), PatchType::merge, std::move(patch));
    if (!patched && patched.error().error.code == ErrorCode::not_found) co_return false;
    if (!patched) failed(event, patched.error());
    if (patched) ++counters_.written;
    co_return true;
}

void EventRecorder::failed(const Pending& event, const KubeError& error) {
    ++counters_.failed;
    log::debug("cannot write an event", {{"namespace", event.subject.namespace_name},
                                         {"name", event.subject.name},
                                         {"reason", event.text.reason},
                                         {"error", to_string(error.error)}});
}

}  // namespace cvp::op
