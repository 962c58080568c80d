#include "tests/support/raw_peer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

namespace cvp::test {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

using Peers = std::vector<std::shared_ptr<RawPeer>>;

Awaitable<void> accept(std::shared_ptr<tcp::acceptor> acceptor, std::shared_ptr<Peers> peers) {
    while (acceptor->is_open()) {
        error_code ec;
        tcp::socket socket(acceptor->get_executor());
        co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) continue;
        peers->push_back(std::make_shared<RawPeer>(std::move(socket)));
        peers->back()->start();
    }
}

}  // namespace

std::shared_ptr<RawPeer> RawPeer::connect(asio::io_context& io, std::uint16_t port) {
    tcp::socket socket(io);
    socket.connect({asio::ip::address_v4::loopback(), port});
    auto peer = std::make_shared<RawPeer>(std::move(socket));
    peer->start();
    return peer;
}

void RawPeer::start() {
    asio::co_spawn(socket_.get_executor(), read(shared_from_this()), asio::detached);
}

Awaitable<void> RawPeer::read(std::shared_ptr<RawPeer> self) {
    char buffer[4096];
    error_code ec;
    while (!ec && !self->is_stalled_) {
        const auto count =
            co_await self->socket_.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
        self->received.append(buffer, count);
    }
    self->has_ended = static_cast<bool>(ec);
    self->was_reset = ec == asio::error::connection_reset;
}

void RawPeer::write(std::string_view bytes) {
    error_code ignored;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
}

void RawPeer::finish_writing() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void RawPeer::close() {
    error_code ignored;
    socket_.close(ignored);
}

RawListener::RawListener(asio::io_context& io)
    : acceptor_(std::make_shared<tcp::acceptor>(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0))),
      peers_(std::make_shared<Peers>()),
      port_(acceptor_->local_endpoint().port()) {
    asio::co_spawn(io, accept(acceptor_, peers_), asio::detached);
}

RawListener::~RawListener() {
    close();
    for (const auto& peer : *peers_)
        peer->close();
}

void RawListener::close() {
    error_code ignored;
    acceptor_->close(ignored);
}

}  // namespace cvp::test
