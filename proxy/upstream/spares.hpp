#pragma once

#include <list>
#include <memory>
#include <optional>

#include "proxy/loop/channel.hpp"
#include "proxy/loop/event_loop.hpp"

namespace cvp::proxy {

/// A connection that is logged in, and since when.
struct LoggedIn {
    std::unique_ptr<Channel> channel;
    SteadyClock::time_point at{};
};

/// The connections of one Upstream that wait for a client, the oldest first. One that the server ends, or says anything
/// on, is dropped without a word.
///
/// Owner: an Upstream. Main loop only.
class Spares {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        /// @param at when it had logged in
        virtual void on_spare_lost(SteadyClock::time_point at) = 0;
    };

    Spares(EventLoop& loop, Owner& owner);
    ~Spares();
    Spares(const Spares&) = delete;
    Spares& operator=(const Spares&) = delete;

    std::size_t size() const { return spares_.size(); }
    /// Those that are not past their time.
    std::size_t fresh(SteadyClock::time_point now) const;
    /// When the next one is past it.
    std::optional<SteadyClock::time_point> next_expiry(SteadyClock::time_point now) const;

    void add(LoggedIn connection, SteadyClock::time_point until);
    /// The oldest of those that the server has not ended, if there is any.
    std::optional<LoggedIn> take();
    void drop_expired(SteadyClock::time_point now);
    void clear();

private:
    struct Spare;
    void drop(Spare& spare);

    EventLoop& loop_;
    Owner& owner_;
    std::list<std::unique_ptr<Spare>> spares_;
};

}  // namespace cvp::proxy
