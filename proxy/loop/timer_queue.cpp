#include "proxy/loop/timer_queue.hpp"

namespace cvp::proxy {

std::optional<SteadyClock::time_point> TimerQueue::next() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.begin()->first;
}

void TimerQueue::run(SteadyClock::time_point now) {
    while (!entries_.empty() && entries_.begin()->first <= now) {
        Timer& timer = *entries_.begin()->second;
        timer.stop();
        timer.owner_.on_time(now);  // may end the timer
    }
}

void Timer::start(SteadyClock::time_point deadline) {
    stop();
    place_ = queue_.entries_.emplace(deadline, this);
    if (*place_ == queue_.entries_.begin()) queue_.on_earlier_();
}

void Timer::stop() {
    if (!place_) return;
    queue_.entries_.erase(*place_);
    place_.reset();
}

void Timer::set(std::optional<SteadyClock::time_point> deadline) {
    if (!deadline) return stop();
    if (place_ && (*place_)->first == *deadline) return;
    start(*deadline);
}

}  // namespace cvp::proxy
