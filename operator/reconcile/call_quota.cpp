#include "operator/reconcile/call_quota.hpp"

#include <algorithm>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 60s;
constexpr auto kPatience = 60s;
constexpr SteadyClock::duration kShortestWait = 10ms;

}  // namespace

std::optional<SteadyClock::duration> CallQuota::acquire(const std::string& project, const ObjectKey& key,
                                                        std::size_t calls, bool is_urgent, TimePoint now) {
    auto& state = projects_[project];
    tidy(state, now);
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
    const auto wait = std::max(time_until_free(state, wanted, now), state.paused_until - now);
    if (wait <= SteadyClock::duration::zero()) {
        line.erase(me);
        state.sent.insert(state.sent.end(), calls, now);
        return std::nullopt;
    }
    me->expected = now + std::max(wait, kShortestWait);
    return me->expected - now;
}

void CallQuota::charge(const std::string& project, TimePoint now) {
    projects_[project].sent.push_back(now);
}

void CallQuota::refund(const std::string& project) {
    auto& sent = projects_[project].sent;
    if (!sent.empty()) sent.pop_back();
}

void CallQuota::forget(const ObjectKey& key) {
    const auto is_key = [&](const Waiter& waiter) { return waiter.key == key; };
    for (auto& [name, project] : projects_) {
        std::erase_if(project.urgent, is_key);
        std::erase_if(project.refreshes, is_key);
    }
}

void CallQuota::pause(const std::string& project, TimePoint until) {
    auto& state = projects_[project];
    state.paused_until = std::max(state.paused_until, until);
}

void CallQuota::tidy(Project& project, TimePoint now) {
    while (!project.sent.empty() && now - project.sent.front() >= kWindow)
        project.sent.pop_front();
    const auto is_gone = [now](const Waiter& waiter) { return now > waiter.expected + kPatience; };
    std::erase_if(project.urgent, is_gone);
    std::erase_if(project.refreshes, is_gone);
}

/// How long until `calls` calls fit, if nobody else makes any.
SteadyClock::duration CallQuota::time_until_free(const Project& project, std::size_t calls, TimePoint now) const {
    const auto used = project.sent.size();
    const auto free = used < per_minute_ ? per_minute_ - used : 0;
    if (calls <= free) return SteadyClock::duration::zero();
    const auto to_expire = calls - free;
    if (to_expire <= used) return project.sent[to_expire - 1] + kWindow - now;
    // More than a whole window: those that are sent then must expire too.
    const auto windows = static_cast<int>((to_expire - used + per_minute_ - 1) / per_minute_);
    const auto last = used == 0 ? now : project.sent.back() + kWindow;
    return last + windows * kWindow - now;
}

}  // namespace cvp::op
