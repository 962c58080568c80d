#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <sys/epoll.h>

#include "common/async/asio.hpp"
#include "proxy/loop/outbox.hpp"
#include "proxy/loop/socket.hpp"
#include "proxy/loop/timer_queue.hpp"

namespace cvp::proxy {

class Watch;

/// Something that ends at the end of a turn, because somebody further up the stack may still use it.
class Disposable {
public:
    virtual ~Disposable() = default;

    /// Stops its timers and descriptors: whom it reports to may be gone before it is, and must hear nothing more.
    virtual void retire() = 0;
};

/// Memory that every connection of the loop borrows while it handles one wake-up, so that an idle one owns no buffer.
struct Scratch {
    static constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

    std::array<char, kReadBytes> input;  ///< what one recv(2) brought
    std::array<char, kReadBytes> ahead;  ///< what several did, before the first of them was handled
    std::array<char, kReadBytes + std::size_t{16} * 1024>
        plain;           ///< that, decrypted, with the record that was cut before it
    std::string output;  ///< records on their way to one send(2)
};

/// A level-triggered epoll loop: descriptors are registered once, timers are one timerfd, and the whole loop is one
/// descriptor, so that it can stand in another loop (AsioPump).
///
/// Events that come together pass three stages: all read ahead, each is told, and what that wrote is sent (Outbox).
///
/// Owner: the DataPlane. One thread. Everything registered ends before it.
class EventLoop {
public:
    /// Throws std::system_error when the system has no descriptor left: start-up only.
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Readable while turn() has work.
    int fd() const { return epoll_.fd(); }

    /// Handles what is ready, and what comes within 2 ms after it: a busy loop rarely pays for the loop around it,
    /// which in turn waits 2 ms at most.
    void turn();

    TimerQueue& timers() { return timers_; }
    Scratch& scratch() { return *scratch_; }
    Outbox& outbox() { return outbox_; }
    SteadyClock::time_point last_turn() const { return last_turn_; }

    /// Retires `object` now and ends it at the end of this turn, or of one that follows at once, if called outside one.
    void dispose(std::unique_ptr<Disposable> object);

private:
    friend class Watch;
    static constexpr int kBatch = 128;

    int handle_ready(int timeout_ms);
    void read_ahead();
    void dispatch(const epoll_event& event);
    void arm_timer(SteadyClock::time_point deadline);

    Socket epoll_;
    Socket timerfd_;
    Socket turn_end_;  ///< a timer, too
    TimerQueue timers_;
    SteadyClock::time_point armed_for_ = SteadyClock::time_point::max();
    std::array<epoll_event, kBatch> batch_;
    int batch_size_ = 0;
    int batch_at_ = 0;
    bool is_turning_ = false;
    bool is_turn_over_ = false;
    std::vector<std::unique_ptr<Disposable>> disposed_;
    std::unique_ptr<Scratch> scratch_;
    Outbox outbox_;
    SteadyClock::time_point last_turn_;
};

/// Who is told that a descriptor is ready. `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
class Watched {
public:
    virtual ~Watched() = default;
    virtual void on_ready(std::uint32_t events) = 0;

    /// Comes before on_ready() where several are readable together, to each of them before any is told: the kernel's
    /// way through recv(2) then stays in the CPU's caches.
    /// @param room what is written to its front stays there until the end of the batch
    /// @return how many bytes were
    virtual std::size_t read_ahead([[maybe_unused]] std::span<char> room) { return 0; }
};

/// One descriptor's place in the loop. Ends before the descriptor is closed.
///
/// EPOLLHUP and EPOLLERR cannot be masked: reported while neither reading nor writing is wanted they would spin, so the
/// descriptor then leaves epoll until something is wanted again.
class Watch {
public:
    Watch(EventLoop& loop, Watched& owner) : loop_(loop), owner_(owner) {}
    ~Watch() { stop(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Begins to watch `fd` for `events`.
    void start(int fd, std::uint32_t events);

    /// Changes what is watched for; costs a system call only where it changes.
    void want(std::uint32_t events);

    void stop();

private:
    friend class EventLoop;

    EventLoop& loop_;
    Watched& owner_;
    int fd_ = -1;
    std::uint32_t wanted_ = 0;
    bool is_registered_ = false;
};

}  // namespace cvp::proxy
