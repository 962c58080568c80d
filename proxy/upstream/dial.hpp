#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "common/async/asio.hpp"
#include "proxy/loop/channel.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/upstream/login.hpp"
#include "proxy/upstream/login_slots.hpp"
#include "proxy/upstream/target.hpp"

namespace cvp::proxy {

/// How one dial ended.
struct DialResult {
    enum class Stage { connect, handshake, login };

    std::unique_ptr<Channel> channel;       ///< logged in; null where it failed
    SocketAddress address;                  ///< of the server, once known
    std::optional<tls::VerifiedPeer> peer;  ///< once verified
    bool is_login_sent = false;

    // Where it failed:
    Stage stage = Stage::connect;
    std::optional<tls::FailureKind> tls_failure;
    Login::Outcome login =
        Login::Outcome::pending;  ///< pending: `error` says what went wrong; else the server's answer
    Secret refused_password;      ///< the one that was sent, where the server refused it
    LocalError error;
};

/// One attempt to reach a server: name, TCP, TLS verified, login. The password is pulled when its bytes are written,
/// which is after chain and identity are verified.
///
/// Lifecycle: start() once; the owner hears on_dial_ended() once, from the loop or from Asio, never from within
/// start(). Giving it to EventLoop::dispose() at any time ends it without a word.
class Dial final : public Disposable, private Channel::Owner, private Timed, private LoginSlots::Waiter {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void on_dial_ended(DialResult result) = 0;
    };

    Dial(EventLoop& loop, asio::io_context& io, LoginSlots& slots, Owner& owner, const Target& target,
         std::shared_ptr<TlsProfile> tls);
    ~Dial() override;

    void start(SteadyClock::time_point deadline);
    void retire() override;

private:
    void resolve();
    void connect_next();
    void fail_connect(std::string reason);
    void log_in();
    void end(Login::Outcome outcome);
    std::string where() const;

    void on_open() override;
    void on_bytes(std::string_view bytes) override;
    void on_eof() override;
    void on_broken(const ChannelFault& fault) override;
    void on_sent() override {}
    void on_hangup() override {}
    void on_time(SteadyClock::time_point now) override;
    void on_login_turn() override { log_in(); }

    EventLoop& loop_;
    asio::io_context& io_;
    Owner& owner_;
    Endpoint endpoint_;
    std::string username_;
    std::shared_ptr<LoginSource> source_;
    std::shared_ptr<TlsProfile> tls_;
    Timer timer_;
    SteadyClock::time_point deadline_;
    std::shared_ptr<void> alive_ = std::make_shared<int>();  ///< what the resolver's answer looks at first
    std::unique_ptr<asio::ip::tcp::resolver> resolver_;
    std::vector<SocketAddress> addresses_;
    std::size_t next_address_ = 0;
    std::unique_ptr<Channel> channel_;
    LoginSlots::Claim claim_;
    Login login_;
    Secret sent_password_;
    DialResult result_;
    bool is_over_ = false;
};

}  // namespace cvp::proxy
