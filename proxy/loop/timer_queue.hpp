#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "common/async/asio.hpp"

namespace cvp::proxy {

class Timer;

/// Deadlines in order. Pure: whoever owns it says what time it is.
///
/// Owner: an EventLoop; it outlives its timers.
class TimerQueue {
public:
    /// @param on_earlier called whenever next() becomes earlier
    explicit TimerQueue(std::function<void()> on_earlier = [] {}) : on_earlier_(std::move(on_earlier)) {}
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    /// The earliest deadline, or nothing.
    std::optional<SteadyClock::time_point> next() const;

    /// Fires every timer whose deadline is not after `now`, the earliest first. A timer that is started while this runs
    /// fires in this call only if it is due by `now`; a stopped one does not fire.
    void run(SteadyClock::time_point now);

private:
    friend class Timer;
    using Entries = std::multimap<SteadyClock::time_point, Timer*>;

    std::function<void()> on_earlier_;
    Entries entries_;
};

/// Who is told when a timer fires.
class Timed {
public:
    virtual ~Timed() = default;
    virtual void on_time(SteadyClock::time_point now) = 0;
};

/// One deadline of one owner. Stops when it ends.
class Timer {
public:
    Timer(TimerQueue& queue, Timed& owner) : queue_(queue), owner_(owner) {}
    ~Timer() { stop(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Sets the deadline, in place of the one that was set.
    void start(SteadyClock::time_point deadline);
    void stop();

    /// Starts, moves or stops it, as `deadline` says; nothing is done where nothing changes.
    void set(std::optional<SteadyClock::time_point> deadline);

private:
    friend class TimerQueue;

    TimerQueue& queue_;
    Timed& owner_;
    std::optional<TimerQueue::Entries::iterator> place_;
};

}  // namespace cvp::proxy
