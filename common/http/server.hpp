#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/async/asio.hpp"
#include "common/http/message.hpp"
#include "common/result.hpp"
#include "common/tls/options.hpp"

namespace cvp::http {

/// Who asked: for rules such as "only loopback peers".
struct Peer {
    std::string address;  ///< textual IP without port
    bool is_loopback = false;
};

/// Answers one request: a function pointer, a bound member or a lambda that calls a named coroutine. What it needs must
/// live as long as the server. An exception out of it is a bug: it is logged and answered with 500.
using Handler = std::function<Awaitable<Response>(Request request, Peer peer)>;

struct ServerOptions {
    std::size_t max_body_bytes = 64UL * 1024;                       ///< 413 beyond it, then close
    std::size_t max_connections = 256;                              ///< beyond it the newest is closed at once
    SteadyClock::duration idle_timeout = std::chrono::seconds(95);  ///< between requests
    /// Bound of each step that a slow client could stretch: TLS handshake, first to last byte of a request, taking the
    /// answer. The client is cut off.
    SteadyClock::duration request_timeout = std::chrono::seconds(10);
};

/// HTTP/1.1 server, plain or TLS, keep-alive, TCP_NODELAY, header and body in one write.
///
/// Nonsense is answered with 400, a header that is too large with 431, a body that is too large with 413; then the
/// connection is closed. Pipelined requests are answered in order.
///
/// Owner: an App. One io_context, which outlives it; one thread. Stop order: stop_accepting(), then drain(). Destroying
/// the server closes everything at once; a handler under way runs to its end, its answer goes nowhere.
class Server {
public:
    Server(asio::io_context& io, Handler handler, ServerOptions options = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds, listens and begins to accept on "ip:port", "[v6]:port", "localhost:port" or ":port" (all addresses, IPv4
    /// and IPv6). Port 0: any free one. Plain unless set_tls() was called before.
    /// @errors invalid_argument on an address that is none; unavailable, naming the address and the system's reason (in
    ///         use, not permitted)
    Result<void> listen(std::string_view address);

    /// listen() in two steps: bind() takes the port, and clients are refused until start_accepting().
    /// @errors as listen()
    Result<void> bind(std::string_view address);
    Result<void> start_accepting();

    /// The certificate that new TLS handshakes use; may be called again at any time. Connections that are open keep
    /// theirs. On an error the old one stays.
    /// @errors invalid_argument if certificate and key do not fit
    Result<void> set_tls(const tls::ServerOptions& tls);

    /// The bound port, 0 before listen().
    std::uint16_t port() const;

    /// Requests of which at least a byte came and whose answer is not yet sent whole.
    std::size_t in_flight() const;

    /// Closes the listener; connections go on. From now on every answer carries `Connection: close`.
    void stop_accepting();

    /// Says `Connection: close` on every answer while it goes on accepting (for a graceful stop behind a Service).
    void ask_clients_to_leave();

    /// Waits until the requests in flight are answered or `deadline` comes, then closes every connection.
    Awaitable<void> drain(SteadyClock::time_point deadline);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace cvp::http
