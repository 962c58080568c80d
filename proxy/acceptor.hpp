#pragma once

#include "proxy/loop/event_loop.hpp"
#include "proxy/loop/socket.hpp"

namespace cvp::proxy {

/// One listening socket: hands over who comes in, and rests for 100 ms when the system has nothing left for another
/// client.
///
/// Owner: a Listener. Ends before the loop.
class Acceptor final : private Watched, private Timed {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        /// A client is there; may stop the acceptor, not end it.
        virtual void on_client(Acceptor& from, Socket client) = 0;
        /// No descriptor or memory is left for another one.
        virtual void on_exhausted() = 0;
    };

    Acceptor(EventLoop& loop, Owner& owner, Socket socket);

    void stop();

private:
    void on_ready(std::uint32_t events) override;
    void on_time(SteadyClock::time_point now) override;
    void rest();

    Owner& owner_;
    Socket socket_;
    Watch watch_;
    Timer pause_;
};

}  // namespace cvp::proxy
