#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "common/result.hpp"

namespace cvp::proxy {

/// Owns one descriptor.
class Socket {
public:
    Socket() = default;
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() { close(); }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&& other) noexcept;

    int fd() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void close();

private:
    int fd_ = -1;
};

/// An IP address with a port.
class SocketAddress {
public:
    SocketAddress() = default;
    SocketAddress(const sockaddr* address, socklen_t length);

    /// Reads an IP literal, IPv6 without brackets.
    /// @errors invalid_argument if it is none (a DNS name, say)
    static Result<SocketAddress> parse(std::string_view ip, std::uint16_t port);

    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return size_; }
    int family() const { return storage_.ss_family; }
    std::uint16_t port() const;
    /// "10.0.0.3", "::1".
    std::string ip() const;
    /// "10.0.0.3:6379", "[::1]:6379".
    std::string text() const;

private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

/// Binds and listens, non-blocking, with SO_REUSEADDR; an IPv6 address takes IPv6 alone.
/// @errors unavailable, naming the address and the system's reason
Result<Socket> listen_tcp(const SocketAddress& address);

/// What a listener is bound to: the port where 0 was asked for.
Result<SocketAddress> local_address(const Socket& socket);

/// Begins to connect, non-blocking: writable means decided (connect_outcome). Tuned as all our upstream sockets:
/// TCP_NODELAY, keepalive 60/15/4, TCP_USER_TIMEOUT 15 s.
/// @errors unavailable: refused at once, no route, no descriptor
Result<Socket> connect_tcp(const SocketAddress& address);

/// How a connect ended.
/// @errors unavailable with the system's reason
Result<void> connect_outcome(const Socket& socket);

/// Makes its close() a reset (RST): what the peer has not read yet is lost, and what it says then is not waited for.
void reset_on_close(const Socket& socket);

/// How many bytes a read or write moved, or why none.
struct Transfer {
    enum class State {
        moved,    ///< `bytes` > 0
        blocked,  ///< nothing now
        ended,    ///< read: the peer's FIN
        broken,   ///< reset, timed out: `error` is the errno
    };
    State state = State::blocked;
    std::size_t bytes = 0;
    int error = 0;
};

/// recv(2) and send(2), without SIGPIPE and EINTR.
Transfer receive(const Socket& socket, char* buffer, std::size_t size);
Transfer send(const Socket& socket, std::string_view bytes);

/// Whether receive() would not be blocked.
bool is_readable(const Socket& socket);

class ByteQueue;

/// Sends as much of the queue as the socket takes in one system call and drops it from the queue.
Transfer send(const Socket& socket, ByteQueue& queue);

}  // namespace cvp::proxy
