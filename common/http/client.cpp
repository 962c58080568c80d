#include "common/http/client.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/http/parser.hpp"
#include "common/http/stream.hpp"
#include "common/http/writer.hpp"

namespace cvp::http {
namespace {

using StreamPtr = std::shared_ptr<Stream>;

bool is_idempotent(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
}

Error at_origin(const Origin& origin, Error error) {
    error.context = origin.to_string() + ": " + error.context;
    return error;
}

}  // namespace

/// What requests share. They hold it, so it lives until the last one has ended.
struct Client::Impl {
    struct Idle {
        StreamPtr stream;
        SteadyClock::time_point since;
    };

    Impl(asio::io_context& io_, Origin origin_, tls::ClientOptions tls_, ClientOptions options_)
        : io(io_), origin(std::move(origin_)), tls(std::move(tls_)), options(options_) {}

    StreamPtr make_stream() {
        std::erase_if(streams, [](const auto& weak) { return weak.expired(); });
        auto stream = std::make_shared<Stream>(io);
        streams.push_back(stream);
        return stream;
    }

    /// The idle connection used last, if one is still good; those that are not are closed.
    StreamPtr take_idle() {
        const auto oldest = SteadyClock::now() - options.idle_timeout;
        std::erase_if(idle, [&](const Idle& entry) {
            const bool is_good = entry.since > oldest && entry.stream->is_quiet();
            if (!is_good) entry.stream->close();
            return !is_good;
        });
        if (idle.empty()) return nullptr;
        auto stream = std::move(idle.back().stream);
        idle.pop_back();
        return stream;
    }

    void close_idle() {
        for (const auto& entry : idle)
            entry.stream->close();
        idle.clear();
    }

    void close() {
        is_closed = true;
        close_idle();
        for (const auto& weak : streams) {
            if (const auto stream = weak.lock()) stream->close();
        }
    }

    Result<tls::SslContext> tls_context() {
        if (!context) {
            auto made = tls::make_client_context(tls);
            if (!made) return made;
            context = std::move(*made);
        }
        return *context;
    }

    asio::io_context& io;
    Origin origin;
    tls::ClientOptions tls;
    ClientOptions options;
    std::optional<tls::SslContext> context;  // made when first needed
    unsigned tls_generation = 0;             // a connection of an older one is not used again
    bool is_closed = false;
    std::vector<Idle> idle;
    std::vector<std::weak_ptr<Stream>> streams;  // all that live
};

/// One request and its response on one connection.
struct Client::Exchange {
    Exchange(std::shared_ptr<Impl> client_, bool answers_head, std::size_t max_body_bytes)
        : client(std::move(client_)), tls_generation(client->tls_generation), parser(max_body_bytes, answers_head) {}
    ~Exchange() {
        if (stream) stream->close();
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    /// Sends the request and reads the response's header, on an idle connection or on a new one.
    static Awaitable<Result<std::shared_ptr<Exchange>>> begin(std::shared_ptr<Impl> client, Request request,
                                                              std::size_t max_body_bytes,
                                                              SteadyClock::time_point deadline) {
        const auto text = write_request(request, client->origin);
        if (!text) co_return fail(at_origin(client->origin, text.error()));
        for (bool may_reuse = true;; may_reuse = false) {
            const auto exchange = std::make_shared<Exchange>(client, request.method == "HEAD", max_body_bytes);
            if (may_reuse) exchange->stream = client->take_idle();
            const bool is_reused = exchange->stream != nullptr;
            Result<void> done;
            if (!is_reused) done = co_await exchange->dial(deadline);
            if (done) done = co_await exchange->send(*text, deadline);
            if (done) co_return exchange;
            const bool is_stale =
                is_reused && done.error().code == ErrorCode::unavailable && !exchange->parser.has_begun();
            if (!is_stale || !is_idempotent(request.method)) co_return fail(at_origin(client->origin, done.error()));
        }
    }

    /// Dials the origin. Within the connect timeout: name, TCP and TLS.
    Awaitable<Result<void>> dial(SteadyClock::time_point deadline) {
        if (client->is_closed) co_return fail(ErrorCode::cancelled, "closed by us");
        const auto limit = std::min(deadline, SteadyClock::now() + client->options.connect_timeout);
        stream = client->make_stream();
        auto connected = co_await stream->connect(client->origin.host, client->origin.port, limit);
        if (!connected || !client->origin.tls) co_return connected;
        auto context = client->tls_context();
        if (!context) co_return fail(std::move(context).error());
        tls_generation = client->tls_generation;
        const auto peer = co_await stream->start_tls(*context, client->origin.host, client->tls, limit);
        if (!peer) co_return fail(peer.error());
        co_return Result<void>();
    }

    /// Reads once and parses.
    Awaitable<Result<void>> advance(SteadyClock::time_point deadline) {
        const auto count = co_await stream->read_some(buffer.data(), buffer.size(), deadline);
        if (!count) co_return fail(count.error());
        if (*count > 0) co_return parser.feed({buffer.data(), *count});
        if (!parser.feed_end()) co_return fail(ErrorCode::unavailable, "the server closed before its response ended");
        co_return Result<void>();
    }

    Awaitable<Result<void>> send(const std::string& request, SteadyClock::time_point deadline) {
        if (auto written = co_await stream->write(request, deadline); !written) co_return written;
        while (!parser.has_header()) {
            if (auto advanced = co_await advance(deadline); !advanced) co_return advanced;
        }
        co_return Result<void>();
    }

    /// Gives the connection back to the pool if it can carry another request.
    void release() {
        const bool is_reusable = parser.keep_alive() && parser.take_rest().empty() && !client->is_closed &&
                                 tls_generation == client->tls_generation &&
                                 client->idle.size() < client->options.max_idle_connections;
        if (is_reusable) {
            client->idle.push_back({std::move(stream), SteadyClock::now()});
        } else {
            stream->close();
        }
        stream = nullptr;
    }

    std::shared_ptr<Impl> client;
    unsigned tls_generation;
    StreamPtr stream;
    ResponseParser parser;
    std::array<char, 16UL * 1024> buffer;
};

/// A body that is read piece by piece; shares the exchange with a read under way.
class Client::StreamedBody final : public BodyStream {
public:
    explicit StreamedBody(std::shared_ptr<Exchange> exchange)
        : exchange_(std::move(exchange)),
          status_(exchange_->parser.message().status),
          headers_(exchange_->parser.message().headers) {}
    ~StreamedBody() override { close(); }

    unsigned status() const override { return status_; }
    const Headers& headers() const override { return headers_; }

    Awaitable<Result<std::string>> read_some(SteadyClock::time_point deadline) override {
        return next_piece(exchange_, deadline);
    }

    void close() override {
        if (exchange_->stream) exchange_->stream->close();
    }

private:
    static Awaitable<Result<std::string>> next_piece(std::shared_ptr<Exchange> exchange,
                                                     SteadyClock::time_point deadline) {
        auto& body = exchange->parser.message().body;
        while (body.empty() && !exchange->parser.is_done()) {
            const auto advanced = co_await exchange->advance(deadline);
            if (!advanced) {
                exchange->stream->close();
                co_return fail(at_origin(exchange->client->origin, advanced.error()));
            }
        }
        if (exchange->parser.is_done() && exchange->stream) exchange->release();
        co_return std::exchange(body, {});
    }

    std::shared_ptr<Exchange> exchange_;
    unsigned status_;
    Headers headers_;
};

Client::Client(asio::io_context& io, Origin origin, tls::ClientOptions tls, ClientOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(origin), std::move(tls), options)) {}

Client::~Client() {
    close();
}

const Origin& Client::origin() const {
    return impl_->origin;
}

Awaitable<Result<Response>> Client::send(Request request, SteadyClock::time_point deadline) {
    const auto client = impl_;  // this may end before the request does
    const auto limit = client->options.max_body_bytes;
    auto exchange = co_await Exchange::begin(client, std::move(request), limit, deadline);
    if (!exchange) co_return fail(std::move(exchange).error());
    auto& parser = (*exchange)->parser;
    while (!parser.is_done()) {
        const auto advanced = co_await (*exchange)->advance(deadline);
        if (!advanced) co_return fail(at_origin(client->origin, advanced.error()));
    }
    (*exchange)->release();
    co_return std::move(parser.message());
}

Awaitable<Result<std::unique_ptr<BodyStream>>> Client::open(Request request, SteadyClock::time_point header_deadline) {
    const auto client = impl_;
    auto exchange = co_await Exchange::begin(client, std::move(request), kNoBodyLimit, header_deadline);
    if (!exchange) co_return fail(std::move(exchange).error());
    std::unique_ptr<BodyStream> body = std::make_unique<StreamedBody>(std::move(*exchange));
    co_return body;
}

void Client::set_tls(tls::ClientOptions tls) {
    impl_->tls = std::move(tls);
    impl_->context.reset();
    ++impl_->tls_generation;
    impl_->close_idle();
}

void Client::close() {
    impl_->close();
}

}  // namespace cvp::http
