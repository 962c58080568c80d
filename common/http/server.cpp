#include "common/http/server.hpp"

#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/ip/v6_only.hpp>

#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "common/http/parser.hpp"
#include "common/http/stream.hpp"
#include "common/http/url.hpp"
#include "common/http/writer.hpp"
#include "common/log/log.hpp"
#include "common/tls/context.hpp"

namespace cvp::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(100);
constexpr auto kWarningPeriod = std::chrono::minutes(1);
constexpr auto kLastWords = std::chrono::seconds(1);  // for an answer to arrive before its connection is closed

Peer peer_of(const tcp::socket& socket) {
    error_code ec;
    auto address = socket.remote_endpoint(ec).address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return {address.to_string(), !ec && address.is_loopback()};
}

Response refuse(const Error& error, bool is_body_too_large) {
    if (error.code != ErrorCode::resource_exhausted) return make_response(400, "text/plain", error.context + "\n");
    return make_response(is_body_too_large ? 413 : 431, "text/plain", error.context + "\n");
}

/// Endpoints to try for an address: for all addresses IPv6 with IPv4 in it, else (no IPv6 here) IPv4 alone.
std::vector<tcp::endpoint> endpoints_of(const ListenAddress& address) {
    if (address.host.empty()) return {{asio::ip::address_v6::any(), address.port}, {tcp::v4(), address.port}};
    if (address.host == "localhost") return {{asio::ip::address_v4::loopback(), address.port}};
    return {{asio::ip::make_address(address.host), address.port}};
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
    using StreamPtr = std::shared_ptr<Stream>;

    /// Counts a request from its first byte until its answer is written.
    class InFlight {
    public:
        explicit InFlight(Impl& server) : server_(server) { ++server_.in_flight; }
        ~InFlight() {
            --server_.in_flight;
            server_.answered.notify_all();
        }
        InFlight(const InFlight&) = delete;
        InFlight& operator=(const InFlight&) = delete;

    private:
        Impl& server_;
    };

    Impl(asio::io_context& io_, Handler handler_, ServerOptions options_)
        : io(io_), handler(std::move(handler_)), options(options_), acceptor(io_), tasks(io_) {}

    error_code bind(const tcp::endpoint& endpoint) {
        error_code ec;
        error_code ignored;
        acceptor.close(ignored);
        acceptor.open(endpoint.protocol(), ec);
        if (!ec && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
            acceptor.set_option(asio::ip::v6_only(false), ec);
        }
        if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
        if (!ec) acceptor.bind(endpoint, ec);
        return ec;
    }

    static Awaitable<void> accept(std::shared_ptr<Impl> self) {
        bool is_pausing = false;
        while (self->acceptor.is_open()) {
            error_code ec;
            tcp::socket socket(self->io);
            co_await self->acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
            if (ec == asio::error::connection_aborted || ec == asio::error::operation_aborted) continue;
            if (ec) {  // out of descriptors or memory: the connection stays in the backlog
                if (!is_pausing) log::warn("accepting HTTP connections pauses", {{"reason", ec.message()}});
                is_pausing = true;
                co_await sleep_for(kPauseWithoutDescriptors);
                continue;
            }
            is_pausing = false;
            if (self->live() >= self->options.max_connections) continue;
            socket.set_option(tcp::no_delay(true), ec);
            auto peer = peer_of(socket);
            auto stream = std::make_shared<Stream>(self->io, std::move(socket));
            self->streams.push_back(stream);
            self->tasks.spawn("http connection", serve(self, std::move(stream), std::move(peer)));
        }
    }

    std::size_t live() {
        std::erase_if(streams, [](const auto& weak) { return weak.expired(); });
        return streams.size();
    }

    /// The life of a connection.
    static Awaitable<void> serve(std::shared_ptr<Impl> self, StreamPtr stream, Peer peer) {
        if (self->context) {
            const auto shaken =
                co_await stream->accept_tls(*self->context, SteadyClock::now() + self->options.request_timeout);
            if (!shaken) {
                self->note_failed_handshake(peer, shaken.error());
                co_return;
            }
        }
        std::string rest;
        while (co_await answer_one(self, stream, peer, rest)) {
        }
        stream->close();
    }

    /// A client that does not trust our certificate is worth a line, now and then; one that went away is not.
    void note_failed_handshake(const Peer& peer, const Error& error) {
        const auto now = SteadyClock::now();
        const bool is_refusal = error.code == ErrorCode::tls_failed;
        const bool is_due = is_refusal && now >= next_handshake_warning;
        if (is_due) next_handshake_warning = now + kWarningPeriod;
        const auto level = is_due ? log::Level::warn : log::Level::debug;
        log::write(level, "a TLS handshake with a client failed",
                   {{"port", port}, {"peer", peer.address}, {"error", to_string(error)}});
    }

    /// Reads one request and answers it.
    /// @param rest bytes of this request that came with the one before; takes those of the next. Owned by serve().
    /// @return whether another may follow
    static Awaitable<bool> answer_one(std::shared_ptr<Impl> self, StreamPtr stream, Peer peer, std::string& rest) {
        if (rest.empty()) rest = co_await first_bytes(stream, SteadyClock::now() + self->options.idle_timeout);
        if (rest.empty()) co_return false;

        const InFlight in_flight(*self);
        RequestParser parser(self->options.max_body_bytes);
        const auto received = co_await receive(self, stream, parser, std::exchange(rest, {}));
        if (stream->is_closed()) co_return false;
        const bool is_head = parser.message().method == "HEAD";
        Response response;
        if (received) {
            rest = parser.take_rest();
            response = co_await handle(self, std::move(parser.message()), std::move(peer));
        } else {
            response = refuse(received.error(), parser.is_body_too_large());
        }
        const bool keep_alive = received && parser.keep_alive() && !self->leaving;
        const auto text = write_response(response, keep_alive, is_head);
        const auto written = co_await stream->write(text, SteadyClock::now() + self->options.request_timeout);
        if (written && !keep_alive) co_await stream->finish(SteadyClock::now() + kLastWords);
        co_return written&& keep_alive;
    }

    /// The first bytes of a request, or nothing if the client left or the deadline came.
    static Awaitable<std::string> first_bytes(StreamPtr stream, SteadyClock::time_point deadline) {
        std::string bytes(4096, '\0');
        const auto count = co_await stream->read_some(bytes.data(), bytes.size(), deadline);
        bytes.resize(count.value_or(0));
        co_return bytes;
    }

    /// Reads the rest of a request. The parser is owned by the caller.
    static Awaitable<Result<void>> receive(std::shared_ptr<Impl> self, StreamPtr stream, RequestParser& parser,
                                           std::string begin) {
        const auto deadline = SteadyClock::now() + self->options.request_timeout;
        std::array<char, 4096> buffer;
        bool is_continued = false;
        auto fed = parser.feed(begin);
        while (fed && !parser.is_done()) {
            if (parser.expects_continue() && !is_continued) {
                is_continued = true;
                auto written = co_await stream->write("HTTP/1.1 100 Continue\r\n\r\n", deadline);
                if (!written) co_return written;
            }
            const auto count = co_await stream->read_some(buffer.data(), buffer.size(), deadline);
            if (!count) co_return fail(count.error());
            fed = *count > 0 ? parser.feed({buffer.data(), *count}) : parser.feed_end();
        }
        co_return fed;
    }

    static Awaitable<Response> handle(std::shared_ptr<Impl> self, Request request, Peer peer) {
        try {
            co_return co_await self->handler(std::move(request), std::move(peer));
        } catch (const std::exception& e) {
            log::error("an HTTP handler threw: this is a bug", {{"what", e.what()}});
        }
        co_return make_response(500, "text/plain", "internal error\n");
    }

    void close_all() {
        error_code ignored;
        acceptor.close(ignored);
        for (const auto& weak : streams) {
            if (const auto stream = weak.lock()) stream->close();
        }
    }

    asio::io_context& io;
    Handler handler;
    ServerOptions options;
    tcp::acceptor acceptor;
    std::string address;
    std::uint16_t port = 0;
    std::optional<tls::SslContext> context;
    SteadyClock::time_point next_handshake_warning;
    bool leaving = false;
    std::size_t in_flight = 0;
    Event answered;
    std::vector<std::weak_ptr<Stream>> streams;
    TaskGroup tasks;
};

Server::Server(asio::io_context& io, Handler handler, ServerOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(handler), options)) {}

Server::~Server() {
    impl_->close_all();
}

Result<void> Server::listen(std::string_view address) {
    if (auto bound = bind(address); !bound) return bound;
    return start_accepting();
}

Result<void> Server::bind(std::string_view address) {
    const auto parsed = parse_listen_address(address);
    if (!parsed) return fail(parsed.error());
    error_code ec;
    for (const auto& endpoint : endpoints_of(*parsed)) {
        ec = impl_->bind(endpoint);
        if (ec != asio::error::address_family_not_supported && ec != asio::error::no_protocol_option) break;
    }
    if (ec) return fail(ErrorCode::unavailable, "listening on " + std::string(address) + ": " + ec.message());
    impl_->address = address;
    impl_->port = impl_->acceptor.local_endpoint().port();
    return {};
}

Result<void> Server::start_accepting() {
    error_code ec;
    impl_->acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return fail(ErrorCode::unavailable, "listening on " + impl_->address + ": " + ec.message());
    impl_->tasks.spawn("http accept", Impl::accept(impl_));
    return {};
}

Result<void> Server::set_tls(const tls::ServerOptions& tls) {
    auto context = tls::make_server_context(tls);
    if (!context) return fail(std::move(context).error());
    impl_->context = std::move(*context);
    return {};
}

std::uint16_t Server::port() const {
    return impl_->port;
}

std::size_t Server::in_flight() const {
    return impl_->in_flight;
}

void Server::stop_accepting() {
    ask_clients_to_leave();
    error_code ignored;
    impl_->acceptor.close(ignored);
}

void Server::ask_clients_to_leave() {
    impl_->leaving = true;
}

Awaitable<void> Server::drain(SteadyClock::time_point deadline) {
    const auto impl = impl_;
    while (impl->in_flight > 0 && SteadyClock::now() < deadline)
        co_await impl->answered.wait_until(deadline);
    impl->close_all();
    co_await impl->tasks.join(deadline);
}

}  // namespace cvp::http
