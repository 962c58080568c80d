#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/result.hpp"
#include "common/tls/context.hpp"
#include "common/tls/identity.hpp"

namespace cvp::http {

/// One TCP connection, plain or TLS. For common/http only.
///
/// Owner: shared by the coroutine that works with it and by whoever may close() it. One thread, one operation at a
/// time; each has a deadline. After any error the connection is closed and stays so.
/// Errors of all operations: timeout; cancelled after close(); unavailable if the connection broke; tls_failed.
class Stream : public std::enable_shared_from_this<Stream> {
public:
    /// Not connected yet: connect() comes first.
    explicit Stream(asio::io_context& io) : io_(io), socket_(io), timer_(io) {}
    /// Takes over an accepted connection.
    Stream(asio::io_context& io, asio::ip::tcp::socket socket) : io_(io), socket_(std::move(socket)), timer_(io) {}

    /// Looks the name up and dials its addresses in turn.
    Awaitable<Result<void>> connect(std::string host, std::uint16_t port, SteadyClock::time_point deadline);

    /// Becomes a TLS client and verifies the server: chain and identity, before anything is written.
    Awaitable<Result<tls::VerifiedPeer>> start_tls(tls::SslContext context, std::string host,
                                                   tls::ClientOptions options, SteadyClock::time_point deadline);

    /// Becomes a TLS server. A client that is refused is told so.
    Awaitable<Result<void>> accept_tls(tls::SslContext context, SteadyClock::time_point deadline);

    /// Reads what is there, at most `size` bytes.
    /// @return the number of bytes; 0 at a clean end
    Awaitable<Result<std::size_t>> read_some(char* data, std::size_t size, SteadyClock::time_point deadline);

    /// Writes all of it. The caller keeps `bytes` alive.
    Awaitable<Result<void>> write(std::string_view bytes, SteadyClock::time_point deadline);

    /// Ends politely: says that no more comes, then reads what the peer still sends, so that the last bytes written are
    /// not lost to a reset. Then closes.
    Awaitable<void> finish(SteadyClock::time_point deadline);

    /// Closes at once, from anywhere; an operation under way ends with `cancelled`.
    void close();

    bool is_closed() const { return closed_; }

    /// Whether an idle connection is still open and has nothing to read: fit for another request.
    bool is_quiet();

private:
    using TlsStream = asio::ssl::stream<asio::ip::tcp::socket&>;

    struct Lookup;

    Awaitable<Result<std::vector<asio::ip::tcp::endpoint>>> look_up(std::string host, std::uint16_t port,
                                                                    SteadyClock::time_point deadline);
    /// Says that no more comes and reads what the peer still sends, until it ends or enough is enough.
    Awaitable<void> drain();
    /// Closes the socket when the deadline comes before disarm().
    void arm(SteadyClock::time_point deadline);
    void disarm();
    /// Says why an operation failed, and closes.
    Error end_with(const boost::system::error_code& ec, std::string_view doing);

    asio::io_context& io_;
    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    std::optional<TlsStream> tls_;
    Event wake_;
    SteadyClock::time_point deadline_ = SteadyClock::time_point::max();
    bool closed_ = false;
    bool timed_out_ = false;
};

}  // namespace cvp::http
