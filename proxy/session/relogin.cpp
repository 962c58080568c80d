#include "proxy/session/relogin.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr SteadyClock::duration kFirstWait = 1s;
constexpr SteadyClock::duration kLongestWait = 30s;

}  // namespace

void Relogin::on_logged_in(SteadyClock::time_point at, double spread) {
    is_missed_ = false;
    on_renewed(at, spread);
    if (limits_) deadline_ = at + limits_->deadline;
}

void Relogin::on_renewed(SteadyClock::time_point at, double spread) {
    wait_ = {};
    if (!limits_) return;
    const auto range = std::chrono::duration<double>(limits_->latest - limits_->earliest);
    due_ = at + limits_->earliest + std::chrono::duration_cast<SteadyClock::duration>(range * spread);
}

void Relogin::on_refused(SteadyClock::time_point now) {
    wait_ = std::clamp(2 * wait_, kFirstWait, kLongestWait);
    due_ = now + wait_;
}

void Relogin::on_postponed(SteadyClock::time_point now) {
    due_ = now + kFirstWait;
}

bool Relogin::note_missed() {
    return !std::exchange(is_missed_, true);
}

std::optional<SteadyClock::time_point> Relogin::next(SteadyClock::time_point now) const {
    std::optional<SteadyClock::time_point> next;
    for (const auto& at : {due_, deadline_}) {
        if (at && *at > now && (!next || *at < *next)) next = at;
    }
    return next;
}

}  // namespace cvp::proxy
