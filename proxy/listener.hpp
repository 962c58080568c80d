#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "proxy/data_plane.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/relay.hpp"

namespace cvp::proxy {

/// How many sessions the process can carry, over all listeners.
struct SessionBudget {
    std::size_t limit = 0;  ///< of the descriptors: two a session
    std::size_t open = 0;
};

/// The Port that a DataPlane opens: accepts clients and keeps their relays.
///
/// Owner: the DataPlane. Ends with every session of its own.
class Listener final : public Port, private Relay::Host, private Watched, private Timed {
public:
    /// Binds and accepts.
    /// @errors as DataPlane::open()
    static Result<std::unique_ptr<Listener>> open(EventLoop& loop, asio::io_context& io, SessionBudget& budget,
                                                  PortOptions options);
    ~Listener() override;

    const PortOptions& options() const override { return options_; }
    std::uint16_t port() const override { return port_; }
    Result<void> set_destination(Destination destination) override;
    const PortStats& stats() const override { return stats_; }
    const UpstreamState& upstream() const override;

    /// Accepts nobody from now on, and stops proving.
    void stop();
    /// Ends every session that waits for nothing (Relay::end_if_quiet).
    void end_quiet_sessions();
    void abort_sessions();

private:
    Listener(EventLoop& loop, asio::io_context& io, SessionBudget& budget, PortOptions options, Socket socket,
             std::uint16_t port);

    void on_ready(std::uint32_t events) override;
    void on_time(SteadyClock::time_point now) override;
    void admit(Socket client);
    void pause_accepting();

    std::shared_ptr<Upstream> upstream() override { return upstream_; }
    std::optional<LocalError> verdict() override;
    std::chrono::milliseconds connect_hold() const override { return connect_hold_; }
    const std::string& connection() const override { return options_.connection; }
    PortStats& stats() override { return stats_; }
    void on_ended(Relay& relay) override;

    EventLoop& loop_;
    asio::io_context& io_;
    SessionBudget& budget_;
    PortOptions options_;
    Socket socket_;
    std::uint16_t port_;
    Watch watch_;
    Timer accept_pause_;
    PortStats stats_;
    std::chrono::milliseconds connect_hold_{1500};
    std::size_t max_connections_ = 10000;
    UpstreamState no_upstream_;  ///< state while the destination is a local error, which is its last_error
    std::shared_ptr<Upstream> upstream_;
    std::list<std::unique_ptr<Relay>> relays_;
};

}  // namespace cvp::proxy
