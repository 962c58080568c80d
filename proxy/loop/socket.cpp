#include "proxy/loop/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/contract/host.hpp"
#include "proxy/loop/byte_queue.hpp"

namespace cvp::proxy {

namespace {

constexpr int kFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

std::string reason(int error) {
    return std::generic_category().message(error);
}

void set_option(const Socket& socket, int level, int name, int value) {
    ::setsockopt(socket.fd(), level, name, &value, sizeof value);  // a refusal costs speed, not correctness
}

void set_keepalive(const Socket& socket) {
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

/// Where there is no network there is no congestion, and the kernel's plainest algorithm is enough: BBR, which some
/// machines have as their default, costs 0.1 us for each segment.
void set_plain_congestion_control(const Socket& socket) {
    constexpr std::string_view kPlainest = "reno";
    ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_CONGESTION, kPlainest.data(), kPlainest.size());
}

Transfer outcome_of(ssize_t result) {
    if (result > 0) return {Transfer::State::moved, static_cast<std::size_t>(result), 0};
    if (result == 0) return {Transfer::State::ended, 0, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Transfer::State::blocked, 0, 0};
    return {Transfer::State::broken, 0, errno};
}

template <class Call>
Transfer transfer(Call call) {
    ssize_t result = 0;
    do {
        result = call();
    } while (result < 0 && errno == EINTR);
    return outcome_of(result);
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    other.close();
    return *this;
}

void Socket::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length) : size_(length) {
    std::memcpy(&storage_, address, std::min<std::size_t>(length, sizeof storage_));
}

Result<SocketAddress> SocketAddress::parse(std::string_view ip, std::uint16_t port) {
    const std::string text(ip);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    }
    return fail(ErrorCode::invalid_argument, "\"" + text + "\" is not an IP address");
}

std::uint16_t SocketAddress::port() const {
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

std::string SocketAddress::ip() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (family() == AF_INET6) {
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, buffer.data(),
                    buffer.size());
    } else {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, buffer.data(), buffer.size());
    }
    return buffer.data();
}

std::string SocketAddress::text() const {
    return (family() == AF_INET6 ? "[" + ip() + "]" : ip()) + ":" + std::to_string(port());
}

Result<Socket> listen_tcp(const SocketAddress& address) {
    Socket socket(::socket(address.family(), kFlags, 0));
    if (!socket) return fail(ErrorCode::unavailable, "cannot listen on " + address.text() + ": " + reason(errno));
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address.family() == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);  // these are for whom it accepts, who inherit them
    set_keepalive(socket);
    if (is_loopback(address.ip())) set_plain_congestion_control(socket);
    if (::bind(socket.fd(), address.data(), address.size()) != 0 || ::listen(socket.fd(), SOMAXCONN) != 0) {
        return fail(ErrorCode::unavailable, "cannot listen on " + address.text() + ": " + reason(errno));
    }
    return socket;
}

Result<SocketAddress> local_address(const Socket& socket) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        return fail(ErrorCode::internal, "getsockname: " + reason(errno));
    }
    return SocketAddress(reinterpret_cast<const sockaddr*>(&storage), size);
}

Result<Socket> connect_tcp(const SocketAddress& address) {
    Socket socket(::socket(address.family(), kFlags, 0));
    if (!socket) return fail(ErrorCode::unavailable, "connecting to " + address.text() + ": " + reason(errno));
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 15'000);
    set_keepalive(socket);
    if (::connect(socket.fd(), address.data(), address.size()) != 0 && errno != EINPROGRESS && errno != EINTR) {
        return fail(ErrorCode::unavailable, "connecting to " + address.text() + ": " + reason(errno));
    }
    return socket;
}

Result<void> connect_outcome(const Socket& socket) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return fail(ErrorCode::unavailable, reason(error));
    return {};
}

void reset_on_close(const Socket& socket) {
    const linger not_at_all{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &not_at_all, sizeof not_at_all);
}

Transfer receive(const Socket& socket, char* buffer, std::size_t size) {
    return transfer([&] { return ::recv(socket.fd(), buffer, size, 0); });
}

bool is_readable(const Socket& socket) {
    char byte = 0;
    return transfer([&] { return ::recv(socket.fd(), &byte, 1, MSG_PEEK); }).state != Transfer::State::blocked;
}

Transfer send(const Socket& socket, std::string_view bytes) {
    return transfer([&] { return ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
}

Transfer send(const Socket& socket, ByteQueue& queue) {
    std::array<iovec, 16> vectors;  // 256 KiB: about what a socket takes at once
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = queue.gather(vectors.data(), vectors.size());
    const auto outcome = transfer([&] { return ::sendmsg(socket.fd(), &message, MSG_NOSIGNAL); });
    queue.consume(outcome.bytes);
    return outcome;
}

}  // namespace cvp::proxy
