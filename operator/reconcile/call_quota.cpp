#include "operator/reconcile/call_quota.hpp"

#include <algorithm>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 60s;
constexpr auto kPatience = 60s;
constexpr SteadyClock::duration kShortestWait = 10ms;
constexpr SteadyClock::duration kFirstPause = 2s;
constexpr SteadyClock::duration kLongestPause = 2min;
/// A probe that has not ended by then is not waited for any longer.
constexpr SteadyClock::duration kProbeTime = 1min;
/// How soon to look again whether a call of the project has ended.
constexpr SteadyClock::duration kBusyWait = 200ms;
/// Half of those who work, so that the other half is there for other projects.
constexpr std::size_t kAtOnce = 8;

}  // namespace

std::optional<SteadyClock::duration> CallQuota::acquire(const std::string& project, const ObjectKey& key,
                                                        std::size_t calls, bool is_urgent, TimePoint now) {
    auto& state = projects_[project];
    tidy(state, now);
    end(state, key, now);  // whoever did not say so
    const auto is_me = [&](const Waiter& waiter) { return waiter.key == key; };
    auto& line = is_urgent ? state.urgent : state.refreshes;
    std::erase_if(is_urgent ? state.refreshes : state.urgent, is_me);
    auto me = std::find_if(line.begin(), line.end(), is_me);
    if (me == line.end()) me = line.insert(line.end(), Waiter{key, calls, now});
    me->calls = calls;

    std::size_t wanted = calls;
    for (auto it = line.begin(); it != me; ++it)
        wanted += it->calls;
    if (!is_urgent) {
        for (const auto& waiter : state.urgent)
            wanted += waiter.calls;
    }
    auto wait = std::max(time_until_free(state, wanted, now), state.paused_until - now);
    const bool is_probe = state.failures > 0;
    if (state.under_way.size() >= kAtOnce || (is_probe && now < state.probe_until)) wait = std::max(wait, kBusyWait);
    if (wait <= SteadyClock::duration::zero()) {
        line.erase(me);
        state.under_way[key] = calls;
        if (is_probe) state.probe_until = now + kProbeTime;
        return std::nullopt;
    }
    me->expected = now + std::max(wait, kShortestWait);
    return me->expected - now;
}

void CallQuota::charge(const std::string& project, const ObjectKey& key) {
    ++projects_[project].under_way[key];
}

void CallQuota::refund(const std::string& project, const ObjectKey& key) {
    auto& under_way = projects_[project].under_way;
    const auto mine = under_way.find(key);
    if (mine != under_way.end() && mine->second > 0) --mine->second;
}

void CallQuota::forget(const ObjectKey& key) {
    const auto is_key = [&](const Waiter& waiter) { return waiter.key == key; };
    for (auto& [name, project] : projects_) {
        std::erase_if(project.urgent, is_key);
        std::erase_if(project.refreshes, is_key);
    }
}

void CallQuota::succeeded(const std::string& project, const ObjectKey& key, TimePoint now) {
    auto& state = projects_[project];
    end(state, key, now);
    if (now < state.paused_until) return;  // it began before the failure: it proves nothing
    state.failures = 0;
    state.probe_until = {};
}

void CallQuota::failed(const std::string& project, const ObjectKey& key, SteadyClock::duration pause, TimePoint now) {
    auto& state = projects_[project];
    end(state, key, now);
    if (now >= state.paused_until) {  // else it is one of several that failed together
        auto delay = kFirstPause;
        for (unsigned i = 0; i < state.failures && delay < kLongestPause; ++i)
            delay *= 2;
        ++state.failures;
        state.probe_until = {};
        pause = std::max(pause, std::min(delay, kLongestPause));
    }
    state.paused_until = std::max(state.paused_until, now + pause);
}

void CallQuota::tidy(Project& project, TimePoint now) {
    while (!project.ended.empty() && now - project.ended.front() >= kWindow)
        project.ended.pop_front();
    const auto is_gone = [now](const Waiter& waiter) { return now > waiter.expected + kPatience; };
    std::erase_if(project.urgent, is_gone);
    std::erase_if(project.refreshes, is_gone);
}

void CallQuota::end(Project& project, const ObjectKey& key, TimePoint now) {
    const auto mine = project.under_way.extract(key);
    if (!mine.empty()) project.ended.insert(project.ended.end(), mine.mapped(), now);
}

/// How long until `calls` calls fit, if nobody else makes any and those that are under way end now.
SteadyClock::duration CallQuota::time_until_free(const Project& project, std::size_t calls, TimePoint now) const {
    auto used = project.ended.size();
    for (const auto& [key, count] : project.under_way)
        used += count;
    const auto free = used < per_minute_ ? per_minute_ - used : 0;
    if (calls <= free) return SteadyClock::duration::zero();
    const auto to_expire = calls - free;
    if (to_expire <= project.ended.size()) return project.ended[to_expire - 1] + kWindow - now;
    if (to_expire <= used) return kWindow;
    // More than a whole window: those that are sent then must expire too.
    const auto windows = static_cast<int>((to_expire - used + per_minute_ - 1) / per_minute_);
    const auto last = used == project.ended.size() && used > 0 ? project.ended.back() + kWindow - now : kWindow;
    return (used == 0 ? SteadyClock::duration::zero() : last) + windows * kWindow;
}

}  // namespace cvp::op
