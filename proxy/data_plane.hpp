#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/asio.hpp"
#include "common/contract/resolved_connection.hpp"
#include "common/result.hpp"
#include "proxy/loop/tls_server_profile.hpp"
#include "proxy/loop/unix_socket.hpp"
#include "proxy/upstream/stats.hpp"
#include "proxy/upstream/target.hpp"

namespace cvp::proxy {

/// Names one local listener.
struct PortOptions {
    std::string connection;                     ///< the connection's name: in local errors, logs and labels
    EndpointRole role = EndpointRole::primary;  ///< what its clients reach
    std::string address = "127.0.0.1";          ///< IP literal to bind, IPv6 without brackets
    std::uint16_t port = 6379;                  ///< 0: a free one, see Port::port()
    std::optional<UnixSocketOptions> unix_socket = std::nullopt;  ///< served, too, where given
    bool latency_by_command = false;                              ///< a histogram for each command as well
    std::shared_ptr<TlsServerProfile> tls = nullptr;  ///< what TCP clients meet; null: they are plain, as on the socket
};

/// One local listener of one connection and role: its clients, its way upstream and their counters.
///
/// Owner: the DataPlane that opened it. Main loop only.
class Port {
public:
    virtual ~Port() = default;

    virtual const PortOptions& options() const = 0;
    /// The port that is bound, also where 0 was asked for.
    virtual std::uint16_t port() const = 0;

    /// Sends clients to `destination`: new ones at once, running ones at their next clean point. A target is dialled
    /// at once in the background, as proof, and again whenever none of its dials succeeded for 45 s.
    /// @errors invalid_argument if no TLS context can be made of the target (CA, certificate, key): the port keeps the
    ///         destination that it had
    virtual Result<void> set_destination(Destination destination) = 0;

    virtual const PortStats& stats() const = 0;
    virtual const UpstreamState& upstream() const = 0;
};

/// The proxy's data path: every listener and every session, on an epoll loop of its own whose descriptor is one
/// descriptor in Asio's loop.
///
/// Lifecycle: made before the first port; open() every port, then run the io_context; drain() at the end. Destroying it
/// closes everything that is still open. Main loop only; must not outlive `io`.
class DataPlane {
public:
    explicit DataPlane(asio::io_context& io);
    ~DataPlane();
    DataPlane(const DataPlane&) = delete;
    DataPlane& operator=(const DataPlane&) = delete;

    /// Binds a listener and accepts from then on. Its clients are answered NotResolved until set_destination().
    /// @errors unavailable, naming address and port, or the unix socket, and the system's reason (the process then
    ///         exits 69);
    ///         invalid_argument if `address` is no IP literal
    Result<Port*> open(PortOptions options);

    const std::vector<std::unique_ptr<Port>>& ports() const;

    /// Closes the listeners, waits until the last session ended, at most until `deadline`, then closes the rest.
    Awaitable<void> drain(SteadyClock::time_point deadline);

    /// Sessions of all ports that are open now.
    std::size_t sessions() const;

    /// When the loop last turned; it turns at least once a second while the io_context runs. For /livez.
    SteadyClock::time_point last_turn() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::proxy
