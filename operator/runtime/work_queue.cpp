#include "operator/runtime/work_queue.hpp"

#include <algorithm>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstDelay = 5ms;
constexpr std::chrono::milliseconds kLongestDelay = 1000s;

std::chrono::milliseconds delay_after(unsigned failures) {
    constexpr unsigned kEnough = 18;  // 5 ms · 2^18 > 1000 s
    return std::min(kFirstDelay * (1 << std::min(failures, kEnough)), kLongestDelay);
}

}  // namespace

void WorkQueue::add(const ObjectKey& key, TimePoint when) {
    auto& entry = entries_[key];
    if (entry.due && *entry.due <= when) return;
    if (entry.due && !entry.is_taken) waiting_.erase({*entry.due, entry.order, key});
    entry.due = when;
    entry.order = added_++;
    if (!entry.is_taken) waiting_.insert({when, entry.order, key});
}

void WorkQueue::add_failed(const ObjectKey& key, TimePoint now) {
    auto& entry = entries_[key];
    add(key, now + std::max<SteadyClock::duration>(delay_after(entry.failures++), retries_.take(now)));
}

void WorkQueue::forget(const ObjectKey& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    found->second.failures = 0;
    drop_if_idle(key);
}

std::optional<ObjectKey> WorkQueue::take(TimePoint now) {
    const auto first = waiting_.begin();
    if (first == waiting_.end() || std::get<TimePoint>(*first) > now) return std::nullopt;
    auto key = std::get<ObjectKey>(*first);
    waiting_.erase(first);
    auto& entry = entries_[key];
    entry.due.reset();
    entry.is_taken = true;
    ++in_progress_;
    return key;
}

void WorkQueue::done(const ObjectKey& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.is_taken) return;
    auto& entry = found->second;
    entry.is_taken = false;
    --in_progress_;
    if (entry.due) waiting_.insert({*entry.due, entry.order, key});
    drop_if_idle(key);
}

std::optional<WorkQueue::TimePoint> WorkQueue::next_due() const {
    if (waiting_.empty()) return std::nullopt;
    return std::get<TimePoint>(*waiting_.begin());
}

std::size_t WorkQueue::depth(TimePoint now) const {
    const auto end = std::find_if(waiting_.begin(), waiting_.end(),
                                  [now](const Place& place) { return std::get<TimePoint>(place) > now; });
    return static_cast<std::size_t>(std::distance(waiting_.begin(), end));
}

void WorkQueue::drop_if_idle(const ObjectKey& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    const auto& entry = found->second;
    if (!entry.due && !entry.is_taken && entry.failures == 0) entries_.erase(found);
}

}  // namespace cvp::op
