#include "operator/runtime/event_filter.hpp"

#include <utility>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

constexpr auto kSeries = 10min;
/// How long the bucket of an object needs to be full again.
constexpr auto kMemory = 25 * 5min;

}  // namespace

EventFilter::Verdict EventFilter::judge(const std::string& about, const EventText& text, TimePoint now) {
    expire(now);
    auto& object = objects_[about];
    object.last = now;
    std::erase_if(object.series, [&](const auto& entry) { return now - entry.second.last > kSeries; });
    // A token that is not there yet is not taken: what is dropped costs nothing later.
    auto bucket = object.bucket;
    if (bucket.take(now) > SteadyClock::duration::zero()) return {};
    object.bucket = bucket;

    const auto found = object.series.find(text);
    if (found == object.series.end() || found->second.name.empty()) {
        object.series[text] = Series{"", 1, now};
        return {Verdict::Kind::create, "", 1};
    }
    auto& series = found->second;
    series.last = now;
    return {Verdict::Kind::count, series.name, ++series.count};
}

void EventFilter::stored(const std::string& about, const EventText& text, std::string name) {
    const auto object = objects_.find(about);
    if (object == objects_.end()) return;
    const auto series = object->second.series.find(text);
    if (series != object->second.series.end()) series->second.name = std::move(name);
}

void EventFilter::expire(TimePoint now) {
    if (now < next_expiry_) return;
    next_expiry_ = now + kSeries;
    std::erase_if(objects_, [&](const auto& entry) { return now - entry.second.last > kMemory; });
}

}  // namespace cvp::op
