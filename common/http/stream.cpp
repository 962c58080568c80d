#include "common/http/stream.hpp"

#include <vector>

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/tls/asio_context.hpp"

namespace cvp::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxBytesAfterEnd = 256 * 1024;

/// Finds a dead peer: after 30 s of silence three probes at 10 s, or when sent bytes stay unacknowledged for 30 s.
void watch_for_dead_peer(tcp::socket& socket) {
    const auto set = [&](int level, int option, int value) {
        ::setsockopt(socket.native_handle(), level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

bool is_end(const error_code& ec) {
    return ec == asio::error::eof;
}

}  // namespace

struct Stream::Lookup {
    bool is_done = false;
    error_code ec;
    std::vector<tcp::endpoint> endpoints;
};

Awaitable<Result<std::vector<tcp::endpoint>>> Stream::look_up(std::string host, std::uint16_t port,
                                                              SteadyClock::time_point deadline) {
    error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (!ec) co_return std::vector{tcp::endpoint(address, port)};

    // getaddrinfo() cannot be interrupted: it is left behind when the deadline comes.
    const auto lookup = std::make_shared<Lookup>();
    tcp::resolver resolver(io_);
    resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                           [lookup, self = shared_from_this()](error_code failure, tcp::resolver::results_type found) {
                               lookup->is_done = true;
                               lookup->ec = failure;
                               for (const auto& entry : found)
                                   lookup->endpoints.push_back(entry.endpoint());
                               self->wake_.notify_all();
                           });
    while (!lookup->is_done && !closed_) {
        if (SteadyClock::now() >= deadline) {
            timed_out_ = true;
            break;
        }
        co_await wake_.wait_until(deadline);
    }
    if (!lookup->is_done || lookup->ec) co_return fail(end_with(lookup->ec, "looking up " + host));
    co_return std::move(lookup->endpoints);
}

Awaitable<Result<void>> Stream::connect(std::string host, std::uint16_t port, SteadyClock::time_point deadline) {
    const auto self = shared_from_this();
    auto endpoints = co_await look_up(host, port, deadline);
    if (!endpoints) co_return fail(std::move(endpoints).error());
    error_code ec = asio::error::host_not_found;
    for (std::size_t i = 0; i < endpoints->size() && ec && !closed_; ++i) {
        // Each address gets its share, so that one that swallows packets leaves time for the next.
        const auto now = SteadyClock::now();
        const auto share = (deadline - now) / static_cast<int>(endpoints->size() - i);
        error_code ignored;
        timed_out_ = false;
        socket_.close(ignored);
        arm(now + share);
        co_await socket_.async_connect((*endpoints)[i], asio::redirect_error(asio::use_awaitable, ec));
        disarm();
    }
    if (ec || closed_ || timed_out_) co_return fail(end_with(ec, "connecting"));
    socket_.set_option(tcp::no_delay(true), ec);
    watch_for_dead_peer(socket_);
    co_return Result<void>();
}

Awaitable<Result<tls::VerifiedPeer>> Stream::start_tls(tls::SslContext context, std::string host,
                                                       tls::ClientOptions options, SteadyClock::time_point deadline) {
    const auto self = shared_from_this();
    auto asio_context = tls::to_asio(context);
    tls_.emplace(socket_, asio_context);
    tls::set_server_name(tls_->native_handle(), host, options);
    error_code ec;
    arm(deadline);
    co_await tls_->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, ec));
    disarm();
    if (closed_ || timed_out_) co_return fail(end_with(ec, "TLS handshake"));
    if (ec) {
        const auto failure = tls::explain_handshake(tls_->native_handle(), tls::openssl_error_of(ec));
        close();
        co_return fail(tls::to_error(failure));
    }
    auto peer = tls::verify_peer(tls_->native_handle(), host, options);
    if (!peer) {
        close();
        co_return fail(tls::to_error(peer.error()));
    }
    co_return std::move(*peer);
}

Awaitable<Result<void>> Stream::accept_tls(tls::SslContext context, SteadyClock::time_point deadline) {
    const auto self = shared_from_this();
    auto asio_context = tls::to_asio(context);
    tls_.emplace(socket_, asio_context);
    error_code ec;
    arm(deadline);
    co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, ec));
    if (ec && !closed_ && !timed_out_) co_await drain();  // closing at once could lose our alert to a reset
    disarm();
    if (ec) co_return fail(end_with(ec, "TLS handshake"));
    co_return Result<void>();
}

Awaitable<Result<std::size_t>> Stream::read_some(char* data, std::size_t size, SteadyClock::time_point deadline) {
    const auto self = shared_from_this();
    const auto buffer = asio::buffer(data, size);
    error_code ec;
    std::size_t count = 0;
    arm(deadline);
    if (tls_) {
        count = co_await tls_->async_read_some(buffer, asio::redirect_error(asio::use_awaitable, ec));
    } else {
        count = co_await socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, ec));
    }
    disarm();
    if (ec && !(is_end(ec) && !closed_ && !timed_out_)) co_return fail(end_with(ec, "reading"));
    co_return ec ? 0 : count;
}

Awaitable<Result<void>> Stream::write(std::string_view bytes, SteadyClock::time_point deadline) {
    const auto self = shared_from_this();
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    error_code ec;
    arm(deadline);
    if (tls_) {
        co_await asio::async_write(*tls_, buffer, asio::redirect_error(asio::use_awaitable, ec));
    } else {
        co_await asio::async_write(socket_, buffer, asio::redirect_error(asio::use_awaitable, ec));
    }
    disarm();
    if (ec) co_return fail(end_with(ec, "writing"));
    co_return Result<void>();
}

Awaitable<void> Stream::finish(SteadyClock::time_point deadline) {
    const auto self = shared_from_this();
    error_code ignored;
    arm(deadline);
    if (tls_) co_await tls_->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    co_await drain();
    disarm();
    close();
}

Awaitable<void> Stream::drain() {
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    std::size_t total = 0;
    char waste[4096];
    while (!ec && total < kMaxBytesAfterEnd) {
        total += co_await socket_.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, ec));
    }
}

void Stream::close() {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    wake_.notify_all();
}

bool Stream::is_quiet() {
    char byte = 0;
    const auto count = socket_.is_open() ? ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) : 0;
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Stream::arm(SteadyClock::time_point deadline) {
    deadline_ = deadline;
    if (deadline == SteadyClock::time_point::max()) return;
    timer_.expires_at(deadline);
    timer_.async_wait([weak = weak_from_this()](const error_code& ec) {
        const auto self = weak.lock();
        // The timer may have rung already when it was disarmed or armed anew.
        if (ec || !self || SteadyClock::now() < self->deadline_) return;
        self->timed_out_ = true;
        error_code ignored;
        self->socket_.close(ignored);
    });
}

void Stream::disarm() {
    deadline_ = SteadyClock::time_point::max();
    timer_.cancel();
}

Error Stream::end_with(const error_code& ec, std::string_view doing) {
    const bool was_closed = closed_;
    close();
    const std::string what(doing);
    if (was_closed) return {ErrorCode::cancelled, what + ": closed by us"};
    if (timed_out_) return {ErrorCode::timeout, what + ": timed out"};
    if (tls::openssl_error_of(ec) != 0) return {ErrorCode::tls_failed, what + ": " + ec.message()};
    if (is_end(ec) || ec == asio::ssl::error::stream_truncated) {
        return {ErrorCode::unavailable, what + ": the peer closed the connection"};
    }
    return {ErrorCode::unavailable, what + ": " + ec.message()};
}

}  // namespace cvp::http
