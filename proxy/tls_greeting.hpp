#pragma once

#include <list>
#include <memory>

#include "proxy/loop/channel.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/loop/tls_server_profile.hpp"

namespace cvp::proxy {

/// A client that must do the TLS handshake, in at most 10 s, before it is anybody's session.
///
/// Owner: its Host, who hears once how it ended, from the loop, and then gives it to EventLoop::dispose(). Given there
/// earlier it ends without a word.
class TlsGreeting final : public Disposable, private Channel::Owner, private Timed {
public:
    class Host {
    public:
        virtual ~Host() = default;
        /// `client` is open; bytes that came with its last flight may follow at once.
        virtual void on_greeted(TlsGreeting& greeting, std::unique_ptr<Channel> client) = 0;
        virtual void on_greeting_failed(TlsGreeting& greeting, const tls::Failure& failure) = 0;
    };

    /// @param is_surplus whether it is one client too many, and to be told so
    TlsGreeting(EventLoop& loop, Host& host, Socket client, const TlsServerProfile& tls, bool is_surplus);
    ~TlsGreeting() override;
    void retire() override;

    bool is_surplus() const { return is_surplus_; }

    /// Its place in the host's list.
    std::list<std::unique_ptr<TlsGreeting>>::iterator place;

private:
    void on_open() override;
    void on_bytes(std::string_view) override {}
    void on_eof() override {}
    void on_broken(const ChannelFault& fault) override;
    void on_sent() override {}
    void on_hangup() override {}
    void on_time(SteadyClock::time_point now) override;

    Host& host_;
    Timer timer_;
    std::unique_ptr<Channel> channel_;
    bool is_surplus_;
};

}  // namespace cvp::proxy
