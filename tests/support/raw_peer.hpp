#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "common/async/asio.hpp"

namespace cvp::test {

/// One end of a TCP connection that a test plays by hand, on the test's loop: it keeps what comes and sends what it is
/// told, and the test turns the loop (wait_until) until it has seen enough.
class RawPeer : public std::enable_shared_from_this<RawPeer> {
public:
    /// Connects to 127.0.0.1.
    static std::shared_ptr<RawPeer> connect(asio::io_context& io, std::uint16_t port);
    explicit RawPeer(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

    /// Begins to read. connect() and RawListener have done so already.
    void start();
    /// Stops reading for good, as a client does that takes no answer.
    void stall() { is_stalled_ = true; }

    void write(std::string_view bytes);
    /// Ends our direction only.
    void finish_writing();
    void close();

    std::string received;    ///< all that came
    bool has_ended = false;  ///< the other end closed or reset
    bool was_reset = false;  ///< … by a reset: what it had sent last may be lost

private:
    Awaitable<void> read(std::shared_ptr<RawPeer> self);

    asio::ip::tcp::socket socket_;
    bool is_stalled_ = false;
};

/// Listens on 127.0.0.1 and keeps every connection that comes.
class RawListener {
public:
    explicit RawListener(asio::io_context& io);
    ~RawListener();

    std::uint16_t port() const { return port_; }
    const std::vector<std::shared_ptr<RawPeer>>& peers() const { return *peers_; }
    /// From now on connections are refused.
    void close();

private:
    std::shared_ptr<asio::ip::tcp::acceptor> acceptor_;
    std::shared_ptr<std::vector<std::shared_ptr<RawPeer>>> peers_;
    std::uint16_t port_ = 0;
};

}  // namespace cvp::test
