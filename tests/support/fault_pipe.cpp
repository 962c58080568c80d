#include "tests/support/fault_pipe.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "common/async/event.hpp"

namespace cvp::test {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

/// Bytes that one direction keeps: enough that latency does not slow a stream down, few enough that a peer that does
/// not read is felt by the other one.
constexpr std::size_t kKept = std::size_t{4} * 1024 * 1024;
constexpr std::size_t kPiece = std::size_t{64} * 1024;

tcp::endpoint loopback(std::uint16_t port) {
    return {asio::ip::address_v4::loopback(), port};
}

/// What one direction has read and not yet passed on.
struct Direction {
    struct Piece {
        SteadyClock::time_point due;
        std::string bytes;  ///< empty: the end of the stream
    };
    std::deque<Piece> pieces = {};
    std::size_t kept = 0;
    std::size_t left = PipeFaults::kNoLimit;  ///< bytes that may still pass
    Event changed = {};
};

/// Both ends of a connection that passes through.
struct Pair {
    Pair(tcp::socket client_, const PipeFaults& faults_)
        : client(std::move(client_)), server(client.get_executor()), faults(faults_) {
        up.left = faults.up_limit;
        down.left = faults.down_limit;
    }

    void close(Cut cut) {
        error_code ignored;
        for (auto* socket : {&client, &server}) {
            if (!socket->is_open()) continue;
            if (cut == Cut::reset) socket->set_option(asio::socket_base::linger(true, 0), ignored);
            socket->close(ignored);
        }
        is_closed = true;
        up.changed.notify_all();
        down.changed.notify_all();
    }

    tcp::socket client;
    tcp::socket server;
    PipeFaults faults;
    Direction up;
    Direction down;
    bool is_closed = false;
};

}  // namespace

struct FaultPipe::Impl {
    explicit Impl(std::uint16_t target_) : target(target_) {
        listen(0);
        port = acceptor.local_endpoint().port();
        thread = std::thread([this] { io.run(); });
    }
    ~Impl() {
        asio::post(io, [this] {
            cut_all(Cut::reset);
            io.stop();
        });
        thread.join();
    }

    template <class Call>
    auto on_loop(Call call) {
        std::packaged_task<decltype(call())()> task(std::move(call));
        auto result = task.get_future();
        asio::post(io, [&task] { task(); });
        return result.get();
    }

    void listen(std::uint16_t at) {
        acceptor = tcp::acceptor(io);
        acceptor.open(tcp::v4());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(loopback(at));
        acceptor.listen();
        asio::co_spawn(io, accept(++listening), asio::detached);
    }

    Awaitable<void> accept(int mine) {
        while (mine == listening) {
            error_code ec;
            auto client = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
            if (ec) co_return;
            ++connections;
            auto pair = std::make_shared<Pair>(std::move(client), faulty_left > 0 ? faults : PipeFaults{});
            if (faulty_left > 0 && faulty_left != PipeFaults::kNoLimit) --faulty_left;
            pairs.push_back(pair);
            asio::co_spawn(io, connect(pair), asio::detached);
        }
    }

    Awaitable<void> connect(std::shared_ptr<Pair> pair) {
        error_code ec;
        co_await pair->server.async_connect(loopback(target), asio::redirect_error(asio::use_awaitable, ec));
        if (ec || pair->is_closed) {
            finish(*pair, Cut::reset);
            co_return;
        }
        pair->client.set_option(tcp::no_delay(true), ec);
        pair->server.set_option(tcp::no_delay(true), ec);
        for (const bool is_up : {true, false}) {
            asio::co_spawn(io, read(pair, is_up), asio::detached);
            asio::co_spawn(io, pass_on(pair, is_up), asio::detached);
        }
    }

    void finish(Pair& pair, Cut cut) {
        pair.close(cut);
        pairs.remove_if([&](const auto& each) { return each.get() == &pair; });
    }

    Awaitable<void> read(std::shared_ptr<Pair> pair, bool is_up) {
        auto& from = is_up ? pair->client : pair->server;
        auto& way = is_up ? pair->up : pair->down;
        std::string buffer(kPiece, '\0');
        while (!pair->is_closed) {
            if (is_frozen || way.kept >= kKept) {
                co_await (is_frozen ? thawed : way.changed).wait();
                continue;
            }
            // Readiness first: what came while the pipe was frozen must stay where it is.
            error_code ec;
            co_await from.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, ec));
            if (!ec && is_frozen) continue;
            std::size_t count = 0;
            if (!ec)
                count =
                    co_await from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
            if (pair->is_closed) co_return;
            if (ec && ec != asio::error::eof) co_return finish(*pair, Cut::reset);
            way.pieces.push_back({SteadyClock::now() + pair->faults.latency, buffer.substr(0, count)});
            way.kept += count;
            way.changed.notify_all();
            if (ec) co_return;
        }
    }

    Awaitable<void> pass_on(std::shared_ptr<Pair> pair, bool is_up) {
        auto& to = is_up ? pair->server : pair->client;
        auto& way = is_up ? pair->up : pair->down;
        auto& total = is_up ? bytes_up : bytes_down;
        while (!pair->is_closed) {
            if (way.pieces.empty()) {
                co_await way.changed.wait();
                continue;
            }
            if (const auto due = way.pieces.front().due; due > SteadyClock::now()) {
                co_await sleep_for(due - SteadyClock::now());
                continue;
            }
            if (is_frozen) {
                co_await thawed.wait();
                continue;
            }
            if (way.pieces.front().bytes.empty()) co_return end(*pair, is_up);
            auto& bytes = way.pieces.front().bytes;
            error_code ec;
            const auto size = std::min({bytes.size(), pair->faults.slice, way.left});
            co_await asio::async_write(to, asio::buffer(bytes.data(), size),
                                       asio::redirect_error(asio::use_awaitable, ec));
            if (pair->is_closed) co_return;
            if (ec) co_return finish(*pair, Cut::reset);
            total += size;
            way.kept -= size;
            if (way.left != PipeFaults::kNoLimit) way.left -= size;
            if (way.left == 0) co_return finish(*pair, pair->faults.cut);
            bytes.erase(0, size);
            if (bytes.empty()) way.pieces.pop_front();
            way.changed.notify_all();
        }
    }

    /// The end of one direction; with the second one the connection is over.
    void end(Pair& pair, bool is_up) {
        error_code ignored;
        (is_up ? pair.server : pair.client).shutdown(tcp::socket::shutdown_send, ignored);
        auto& other = is_up ? pair.down : pair.up;
        (is_up ? pair.up : pair.down).left = 0;
        if (other.left == 0) finish(pair, Cut::fin);
    }

    void cut_all(Cut cut) {
        const auto all = std::exchange(pairs, {});
        for (const auto& pair : all)
            pair->close(cut);
        thawed.notify_all();
    }

    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    tcp::acceptor acceptor{io};
    int listening = 0;  ///< which of its listeners is the present one
    std::uint16_t port = 0;
    std::uint16_t target;
    PipeFaults faults = {};
    std::size_t faulty_left = 0;  ///< connections that will have them
    bool is_frozen = false;
    Event thawed = {};
    std::list<std::shared_ptr<Pair>> pairs = {};
    std::size_t connections = 0;
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::thread thread;
};

FaultPipe::FaultPipe(std::uint16_t target) : impl_(std::make_unique<Impl>(target)) {}

FaultPipe::~FaultPipe() = default;

std::uint16_t FaultPipe::port() const {
    return impl_->port;
}

void FaultPipe::set(const PipeFaults& faults, std::size_t count) {
    impl_->on_loop([&] {
        impl_->faults = faults;
        impl_->faulty_left = count;
    });
}

void FaultPipe::point_to(std::uint16_t target) {
    impl_->on_loop([&] { impl_->target = target; });
}

void FaultPipe::close() {
    impl_->on_loop([&] {
        ++impl_->listening;
        impl_->acceptor.close();
    });
}

void FaultPipe::open() {
    impl_->on_loop([&] { impl_->listen(impl_->port); });
}

void FaultPipe::freeze() {
    impl_->on_loop([&] { impl_->is_frozen = true; });
}

void FaultPipe::thaw() {
    impl_->on_loop([&] {
        impl_->is_frozen = false;
        impl_->thawed.notify_all();
    });
}

void FaultPipe::cut_all(Cut cut) {
    impl_->on_loop([&] { impl_->cut_all(cut); });
}

std::size_t FaultPipe::connections() const {
    return impl_->on_loop([&] { return impl_->connections; });
}

std::size_t FaultPipe::open_connections() const {
    return impl_->on_loop([&] { return impl_->pairs.size(); });
}

std::uint64_t FaultPipe::bytes_up() const {
    return impl_->on_loop([&] { return impl_->bytes_up; });
}

std::uint64_t FaultPipe::bytes_down() const {
    return impl_->on_loop([&] { return impl_->bytes_down; });
}

}  // namespace cvp::test
