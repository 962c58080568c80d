#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/loop/channel.hpp"
#include "proxy/session/session.hpp"
#include "proxy/upstream/upstream.hpp"

namespace cvp::proxy {

/// One client connection: performs what its Session says, on the client's channel, a dial, and the upstream channel.
/// Branches are the Session's; bytes pass through here.
///
/// Owner: its Host, who gives it to EventLoop::dispose() when it ended.
class Relay final : public Disposable, private Dial::Owner, private Timed {
public:
    /// Where a relay belongs: its port.
    class Host {
    public:
        virtual ~Host() = default;
        /// Where clients go that speak now; null: answer verdict().
        virtual std::shared_ptr<Upstream> upstream() = 0;
        /// What a client that speaks now is answered with, if it is not to be held.
        virtual std::optional<LocalError> verdict() = 0;
        virtual std::chrono::milliseconds connect_hold() const = 0;
        virtual const std::string& connection() const = 0;
        virtual PortStats& stats() = 0;
        /// The relay is over: closed, and only to be disposed of.
        virtual void on_ended(Relay& relay) = 0;
    };

    Relay(EventLoop& loop, Host& host, Socket client);
    ~Relay() override;

    /// Begins to listen to the client.
    void start();
    /// Sends the client away at once, in the server's own words for "too many clients".
    void start_full();

    /// Ends it now, whatever is pending.
    void abort();
    void retire() override {}  // close() comes before it
    /// Ends it if the client waits for nothing: since the last call no byte came either way, and the server spoke last.
    void end_if_quiet();

    /// Its place in the host's list.
    std::list<std::unique_ptr<Relay>>::iterator place;

private:
    /// The client's channel and the upstream one report through the same interface.
    struct ClientSide final : Channel::Owner {
        explicit ClientSide(Relay& relay) : relay_(relay) {}
        void on_open() override {}
        void on_bytes(std::string_view bytes) override { relay_.on_client_bytes(bytes); }
        void on_eof() override { relay_.on_client_eof(); }
        void on_broken(const ChannelFault&) override { relay_.apply(relay_.session_.on_client_broken()); }
        void on_sent() override { relay_.on_client_sent(); }
        void on_hangup() override { relay_.apply(relay_.session_.on_client_broken()); }
        Relay& relay_;
    };
    struct UpstreamSide final : Channel::Owner {
        explicit UpstreamSide(Relay& relay) : relay_(relay) {}
        void on_open() override {}
        void on_bytes(std::string_view bytes) override { relay_.on_upstream_bytes(bytes); }
        void on_eof() override { relay_.apply(relay_.session_.on_upstream_end()); }
        void on_broken(const ChannelFault&) override { relay_.apply(relay_.session_.on_upstream_end()); }
        void on_sent() override { relay_.update_windows(); }
        void on_hangup() override {}  // what it said before is read once the client has room for it
        Relay& relay_;
    };

    void on_client_bytes(std::string_view bytes);
    void on_client_eof();
    void on_client_sent();
    void on_upstream_bytes(std::string_view bytes);
    void on_dial_ended(DialResult result) override;
    void on_time(SteadyClock::time_point now) override;

    void apply(Do what);
    void dial();
    void send_held();
    void drop_upstream();
    void answer();
    void close();
    void update_windows();

    EventLoop& loop_;
    Host& host_;
    ClientSide client_side_{*this};
    UpstreamSide upstream_side_{*this};
    Channel client_;
    Session session_;
    Timer timer_;
    ByteQueue held_;
    std::shared_ptr<Upstream> way_;  ///< of the newest dial
    std::unique_ptr<Dial> dial_;
    std::unique_ptr<Channel> upstream_;
    bool is_full_ = false;
    bool is_quiet_ = false;
    bool has_server_spoken_last_ = true;
};

}  // namespace cvp::proxy
