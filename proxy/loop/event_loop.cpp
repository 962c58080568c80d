#include "proxy/loop/event_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include <sys/timerfd.h>
#include <unistd.h>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kTurnBudget = 2ms;
constexpr int kDoNotWait = 0;
constexpr int kWait = -1;
constexpr std::size_t kKeptOutputBytes = std::size_t{128} * 1024;

void control(int epoll, int operation, int fd, std::uint32_t events, void* whose) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = whose;
    if (::epoll_ctl(epoll, operation, fd, &event) != 0) {
        // ENOMEM or ENOSPC (max_user_watches): nothing could ever wake this connection again.
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

Socket make_timer() {
    return Socket(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
}

void set_timer(int timer, SteadyClock::time_point when) {
    // A zero would disarm it; a time that has passed fires at once.
    const auto at = std::max(when.time_since_epoch(), SteadyClock::duration(1));
    itimerspec spec{};
    spec.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(at).count();
    spec.it_value.tv_nsec = std::chrono::nanoseconds(at % 1s).count();
    ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, nullptr);
}

/// Of the answer nothing is used. But the kernel's scheduler then counts what this thread has had before it wakes those
/// whom we write to, and they preempt us far less, each for a single command (docs/performance.md).
void bring_cpu_time_up_to_date() {
    timespec unused{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &unused);
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      timerfd_(make_timer()),
      turn_end_(make_timer()),
      timers_([this] {
          if (!is_turning_) arm_timer(*timers_.next());  // a turn does so at its end, once for all
      }),
      scratch_(new Scratch),  // not value-initialised: pages are touched when they are used
      last_turn_(SteadyClock::now()) {
    if (!epoll_ || !timerfd_ || !turn_end_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    control(epoll_.fd(), EPOLL_CTL_ADD, timerfd_.fd(), EPOLLIN, nullptr);
    control(epoll_.fd(), EPOLL_CTL_ADD, turn_end_.fd(), EPOLLIN | EPOLLET, &turn_end_);  // told once, never read
}

EventLoop::~EventLoop() = default;

void EventLoop::turn() {
    last_turn_ = SteadyClock::now();
    is_turning_ = true;
    is_turn_over_ = false;
    if (handle_ready(kDoNotWait) > 0) {
        // One timer for the turn: a time limit for each wait would be set and taken back with each, which on a virtual
        // machine is an exit to its hypervisor, twice.
        set_timer(turn_end_.fd(), last_turn_ + kTurnBudget);
        while (!is_turn_over_)
            handle_ready(kWait);
    }
    is_turning_ = false;
    if (scratch_->output.capacity() > kKeptOutputBytes) std::string().swap(scratch_->output);
}

int EventLoop::handle_ready(int timeout_ms) {
    const int ready = ::epoll_wait(epoll_.fd(), batch_.data(), kBatch, timeout_ms);
    if (ready <= 0) return 0;  // EINTR: the loop around calls again
    batch_size_ = ready;
    bool is_time = false;
    outbox_.open();
    if (ready > 1) {
        bring_cpu_time_up_to_date();
        read_ahead();
    }
    for (batch_at_ = 0; batch_at_ < batch_size_; ++batch_at_) {
        const auto event = batch_[static_cast<std::size_t>(batch_at_)];
        if (event.data.ptr == nullptr) {
            is_time = is_time || (event.events & EPOLLIN) != 0;
        } else if (event.data.ptr == &turn_end_) {
            is_turn_over_ = true;
        } else {
            dispatch(event);
        }
    }
    batch_size_ = 0;
    outbox_.close();
    if (is_time) {
        std::uint64_t expirations = 0;
        [[maybe_unused]] const auto read = ::read(timerfd_.fd(), &expirations, sizeof expirations);
        armed_for_ = SteadyClock::time_point::max();
    }
    // What an event asked for at once need not go through the kernel.
    const auto first = timers_.next();
    if (first && *first < armed_for_) {
        const auto now = SteadyClock::now();
        if (*first <= now) timers_.run(now);
    }
    while (!disposed_.empty())
        std::exchange(disposed_, {}).clear();
    if (const auto next = timers_.next()) arm_timer(*next);
    return ready;
}

void EventLoop::read_ahead() {
    std::span<char> room(scratch_->ahead);
    for (int i = 0; i < batch_size_; ++i) {
        const auto& event = batch_[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr || event.data.ptr == &turn_end_ || event.events != EPOLLIN) continue;
        room = room.subspan(static_cast<Watch*>(event.data.ptr)->owner_.read_ahead(room));
    }
}

void EventLoop::dispatch(const epoll_event& event) {
    Watch& watch = *static_cast<Watch*>(event.data.ptr);
    const bool is_spinning = (event.events & (EPOLLHUP | EPOLLERR)) != 0 && (watch.wanted_ & (EPOLLIN | EPOLLOUT)) == 0;
    if (is_spinning) {
        control(epoll_.fd(), EPOLL_CTL_DEL, watch.fd_, 0, nullptr);
        watch.is_registered_ = false;
    }
    watch.owner_.on_ready(event.events);
}

void EventLoop::arm_timer(SteadyClock::time_point deadline) {
    if (deadline >= armed_for_) return;
    armed_for_ = deadline;
    set_timer(timerfd_.fd(), deadline);
}

void EventLoop::dispose(std::unique_ptr<Disposable> object) {
    object->retire();
    disposed_.push_back(std::move(object));
    if (!is_turning_) arm_timer(SteadyClock::now());
}

void Watch::start(int fd, std::uint32_t events) {
    stop();
    fd_ = fd;
    wanted_ = events;
    control(loop_.epoll_.fd(), EPOLL_CTL_ADD, fd_, events, this);
    is_registered_ = true;
}

void Watch::want(std::uint32_t events) {
    if (fd_ < 0 || events == wanted_) return;
    wanted_ = events;
    if (is_registered_) {
        control(loop_.epoll_.fd(), EPOLL_CTL_MOD, fd_, events, this);
    } else if ((events & (EPOLLIN | EPOLLOUT)) != 0) {
        control(loop_.epoll_.fd(), EPOLL_CTL_ADD, fd_, events, this);
        is_registered_ = true;
    }
}

void Watch::stop() {
    if (fd_ < 0) return;
    // Closing it is not enough: epoll goes on for a descriptor that a child has, be it only until its exec.
    if (is_registered_) ::epoll_ctl(loop_.epoll_.fd(), EPOLL_CTL_DEL, fd_, nullptr);
    is_registered_ = false;
    fd_ = -1;
    // What this turn's batch still holds for it must not reach it.
    for (int i = loop_.batch_at_ + 1; i < loop_.batch_size_; ++i) {
        auto& event = loop_.batch_[static_cast<std::size_t>(i)];
        if (event.data.ptr == this) event = epoll_event{};
    }
}

}  // namespace cvp::proxy
