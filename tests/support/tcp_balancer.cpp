#include "tests/support/tcp_balancer.hpp"

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "common/async/event.hpp"

namespace cvp::test {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAnswerLimit = std::chrono::seconds(1);

tcp::endpoint loopback(std::uint16_t port) {
    return {asio::ip::address_v4::loopback(), port};
}

/// Both ends of a connection that passes through.
struct Pair {
    explicit Pair(tcp::socket client_) : client(std::move(client_)), upstream(client.get_executor()) {}

    tcp::socket client;
    tcp::socket upstream;
};

/// One direction, until its end; then the other side hears of it.
Awaitable<void> pump(std::shared_ptr<Pair> pair, bool is_upwards) {
    auto& from = is_upwards ? pair->client : pair->upstream;
    auto& to = is_upwards ? pair->upstream : pair->client;
    std::vector<char> buffer(16UL * 1024);
    error_code ec;
    while (!ec) {
        const auto count =
            co_await from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
        if (ec) break;
        co_await asio::async_write(to, asio::buffer(buffer.data(), count),
                                   asio::redirect_error(asio::use_awaitable, ec));
    }
    error_code ignored;
    if (ec == asio::error::eof) {
        to.shutdown(tcp::socket::shutdown_send, ignored);
    } else {
        pair->client.close(ignored);
        pair->upstream.close(ignored);
    }
}

/// GET /readyz on a connection of its own.
Awaitable<bool> ask(std::uint16_t port) {
    boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_after(kAnswerLimit);
    error_code ec;
    co_await stream.async_connect(loopback(port), asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    const std::string request = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(stream, asio::buffer(request), asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    std::array<char, 64> answer{};
    const auto count =
        co_await stream.async_read_some(asio::buffer(answer), asio::redirect_error(asio::use_awaitable, ec));
    co_return !ec && std::string_view(answer.data(), count).starts_with("HTTP/1.1 200 ");
}

}  // namespace

struct TcpBalancer::Impl {
    struct Entry {
        Backend backend;
        bool is_ready = false;
        std::chrono::steady_clock::time_point turned_at;
        std::size_t connections = 0;
    };

    Impl() {
        asio::co_spawn(io, accept(), asio::detached);
        thread = std::thread([this] { io.run(); });
    }
    ~Impl() {
        io.stop();
        thread.join();
    }

    Awaitable<void> accept() {
        while (true) {
            error_code ec;
            auto client = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
            if (ec) co_return;
            asio::co_spawn(io, connect(std::make_shared<Pair>(std::move(client))), asio::detached);
        }
    }

    Awaitable<void> connect(std::shared_ptr<Pair> pair) {
        const auto port = choose();
        if (!port) co_return;
        error_code ec;
        co_await pair->upstream.async_connect(loopback(*port), asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        pair->client.set_option(tcp::no_delay(true), ec);
        pair->upstream.set_option(tcp::no_delay(true), ec);
        asio::co_spawn(io, pump(pair, true), asio::detached);
        asio::co_spawn(io, pump(pair, false), asio::detached);
    }

    std::optional<std::uint16_t> choose() {
        const std::lock_guard lock(mutex);
        for (std::size_t tried = 0; tried < entries.size(); ++tried) {
            auto& entry = entries[next++ % entries.size()];
            if (!entry.is_ready) continue;
            ++entry.connections;
            return entry.backend.port;
        }
        return std::nullopt;
    }

    Awaitable<void> check(std::size_t index, std::uint16_t port) {
        while (true) {
            const bool is_ready = co_await ask(port);
            {
                const std::lock_guard lock(mutex);
                auto& entry = entries[index];
                if (entry.is_ready != is_ready) entry.turned_at = SteadyClock::now();
                entry.is_ready = is_ready;
            }
            co_await sleep_for(kPeriod);
        }
    }

    Entry entry(std::size_t index) const {
        const std::lock_guard lock(mutex);
        return entries.at(index);
    }

    asio::io_context io{1};
    tcp::acceptor acceptor{io, loopback(0)};
    mutable std::mutex mutex;
    std::vector<Entry> entries;
    std::size_t next = 0;
    std::thread thread;
};

TcpBalancer::TcpBalancer() : impl_(std::make_unique<Impl>()) {}

TcpBalancer::~TcpBalancer() = default;

std::uint16_t TcpBalancer::port() const {
    return impl_->acceptor.local_endpoint().port();
}

std::size_t TcpBalancer::add(Backend backend) {
    const std::lock_guard lock(impl_->mutex);
    impl_->entries.push_back({backend, false, SteadyClock::now(), 0});
    const auto index = impl_->entries.size() - 1;
    asio::co_spawn(impl_->io, impl_->check(index, backend.probe_port), asio::detached);
    return index;
}

bool TcpBalancer::is_ready(std::size_t backend) const {
    return impl_->entry(backend).is_ready;
}

std::size_t TcpBalancer::ready() const {
    const std::lock_guard lock(impl_->mutex);
    std::size_t count = 0;
    for (const auto& entry : impl_->entries)
        count += entry.is_ready ? 1 : 0;
    return count;
}

std::chrono::steady_clock::time_point TcpBalancer::turned_at(std::size_t backend) const {
    return impl_->entry(backend).turned_at;
}

std::size_t TcpBalancer::connections(std::size_t backend) const {
    return impl_->entry(backend).connections;
}

}  // namespace cvp::test
