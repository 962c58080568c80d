#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "proxy/acceptor.hpp"
#include "proxy/data_plane.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/relay.hpp"
#include "proxy/role_probe.hpp"
#include "proxy/tls_greeting.hpp"

namespace cvp::proxy {

/// How many sessions the process can carry, over all listeners.
struct SessionBudget {
    std::size_t limit = 0;  ///< of the descriptors: two a session
    std::size_t open = 0;
};

/// The Port that a DataPlane opens: accepts clients, by TCP and by its unix socket, and keeps their relays.
///
/// Owner: the DataPlane. Ends with every session of its own.
class Listener final : public Port,
                       private Relay::Host,
                       private RoleProbe::Owner,
                       private Acceptor::Owner,
                       private TlsGreeting::Host {
public:
    /// Binds and accepts.
    /// @errors as DataPlane::open()
    static Result<std::unique_ptr<Listener>> open(EventLoop& loop, asio::io_context& io, LoginSlots& slots,
                                                  SessionBudget& budget, PortOptions options);
    ~Listener() override;

    const PortOptions& options() const override { return options_; }
    std::uint16_t port() const override { return port_; }
    Result<void> set_destination(Destination destination) override;
    const PortStats& stats() const override { return stats_; }
    const UpstreamState& upstream() const override;

    /// Accepts nobody from now on, and stops proving.
    void stop();
    /// Ends every session that waits for nothing (Relay::end_if_quiet), and every handshake.
    void end_quiet_sessions();
    void abort_sessions();

private:
    Listener(EventLoop& loop, asio::io_context& io, LoginSlots& slots, SessionBudget& budget, PortOptions options);
    Result<void> bind();

    void on_client(Acceptor& from, Socket client) override;
    void on_exhausted() override;
    void on_greeted(TlsGreeting& greeting, std::unique_ptr<Channel> client) override;
    void on_greeting_failed(TlsGreeting& greeting, const tls::Failure& failure) override;
    void begin_session(std::unique_ptr<Channel> client, bool is_surplus);
    void forget(TlsGreeting& greeting);
    void drop_greetings();

    std::shared_ptr<Upstream> upstream() override { return upstream_; }
    std::optional<LocalError> verdict() override;
    std::chrono::milliseconds connect_hold() const override { return connect_hold_; }
    const ClientPolicy& client_policy() const override { return clients_; }
    const std::string& connection() const override { return options_.connection; }
    PortStats& stats() override { return stats_; }
    void on_demoted() override;
    void on_ended(Relay& relay) override;
    void on_primary_found(SteadyClock::time_point asked) override;

    EventLoop& loop_;
    asio::io_context& io_;
    LoginSlots& slots_;
    SessionBudget& budget_;
    PortOptions options_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Acceptor> tcp_;
    std::unique_ptr<Acceptor> unix_;  ///< null: not asked for
    SocketFile socket_file_;
    bool is_stopped_ = false;
    PortStats stats_;
    std::chrono::milliseconds connect_hold_{1500};
    std::size_t max_connections_ = 10000;
    ClientPolicy clients_;
    UpstreamState no_upstream_;  ///< state while the destination is a local error, which is its last_error
    std::shared_ptr<Upstream> upstream_;
    RoleProbe role_probe_;
    std::list<std::unique_ptr<TlsGreeting>> greetings_;
    std::list<std::unique_ptr<Relay>> relays_;
};

}  // namespace cvp::proxy
