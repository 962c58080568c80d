#include "tests/emulator/front_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cvp::emulator {
namespace {

constexpr std::size_t kPiece = 16 * 1024;

std::string last_error() {
    return std::generic_category().message(errno);
}

}  // namespace

FrontSocket::FrontSocket(int fd, std::optional<tls::SslContext> context, bool is_server)
    : fd_(fd),
      is_server_(is_server),
      stage_(is_server ? Stage::handshaking : Stage::connecting),
      ssl_(context ? SSL_new(context->native()) : nullptr, SSL_free),
      establish_waits_for_(is_server ? POLLIN : POLLOUT),
      read_waits_for_(POLLIN),
      write_waits_for_(POLLOUT) {
    // OpenSSL writes with write(2), which knows no MSG_NOSIGNAL.
    [[maybe_unused]] static const auto ignored = std::signal(SIGPIPE, SIG_IGN);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (ssl_) SSL_set_fd(ssl_.get(), fd_);
}

FrontSocket::FrontSocket(FrontSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      is_server_(other.is_server_),
      stage_(other.stage_),
      ssl_(std::move(other.ssl_)),
      establish_waits_for_(other.establish_waits_for_),
      read_waits_for_(other.read_waits_for_),
      write_waits_for_(other.write_waits_for_) {}

FrontSocket::~FrontSocket() {
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
}

FrontSocket FrontSocket::accepted(int fd, std::optional<tls::SslContext> context) {
    return {fd, std::move(context), true};
}

Result<FrontSocket> FrontSocket::connecting(const Address& address, std::optional<tls::SslContext> context) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    if (inet_pton(AF_INET, address.ip.c_str(), &to.sin_addr) != 1)
        return fail(ErrorCode::unavailable, address.ip + ": not an IPv4 address");
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(ErrorCode::unavailable, "socket: " + last_error());
    FrontSocket socket(fd, std::move(context), false);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)
        return fail(ErrorCode::unavailable, address.ip + ": " + last_error());
    return socket;
}

FrontSocket::Outcome FrontSocket::explain(int result, short& waits_for) const {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            waits_for = POLLIN;
            return Outcome::blocked;
        case SSL_ERROR_WANT_WRITE:
            waits_for = POLLOUT;
            return Outcome::blocked;
        default:
            // close_notify, EOF without one, a reset: the stream is over all the same.
            return Outcome::ended;
    }
}

FrontSocket::Outcome FrontSocket::establish() {
    if (stage_ == Stage::connecting) {
        pollfd entry{fd_, POLLOUT, 0};
        if (::poll(&entry, 1, 0) == 0) return Outcome::blocked;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return Outcome::broken;
        stage_ = Stage::handshaking;
    }
    if (stage_ == Stage::standing) return Outcome::moved;
    if (ssl_) {
        ERR_clear_error();
        const int result = is_server_ ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get());
        if (result != 1)
            return explain(result, establish_waits_for_) == Outcome::blocked ? Outcome::blocked : Outcome::broken;
    }
    stage_ = Stage::standing;
    return Outcome::moved;
}

FrontSocket::Outcome FrontSocket::read(std::string& out) {
    const auto before = out.size();
    out.resize(before + kPiece);
    ssize_t got = 0;
    auto outcome = Outcome::moved;
    if (ssl_) {
        ERR_clear_error();
        got = SSL_read(ssl_.get(), out.data() + before, kPiece);
        if (got <= 0) outcome = explain(static_cast<int>(got), read_waits_for_);
    } else {
        got = ::recv(fd_, out.data() + before, kPiece, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            outcome = Outcome::blocked;
        } else if (got <= 0) {
            outcome = Outcome::ended;
        }
    }
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return outcome;
}

FrontSocket::Outcome FrontSocket::write(std::string& bytes) {
    ssize_t sent = 0;
    if (ssl_) {
        ERR_clear_error();
        const auto size = std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max());
        sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(size));
        if (sent <= 0) return explain(static_cast<int>(sent), write_waits_for_);
    } else {
        sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR ? Outcome::blocked : Outcome::ended;
    }
    bytes.erase(0, static_cast<std::size_t>(sent));
    return Outcome::moved;
}

FrontSocket::Outcome FrontSocket::finish_writing() {
    if (ssl_) {
        ERR_clear_error();
        const int result = SSL_shutdown(ssl_.get());
        if (result < 0 && explain(result, write_waits_for_) == Outcome::blocked && write_waits_for_ == POLLOUT)
            return Outcome::blocked;
    }
    ::shutdown(fd_, SHUT_WR);
    return Outcome::moved;
}

void FrontSocket::cut() {
    if (ssl_ && stage_ == Stage::standing) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    ssl_.reset();
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

short FrontSocket::interest(bool wants_to_read, bool wants_to_write) const {
    if (stage_ != Stage::standing) return establish_waits_for_;
    short events = 0;
    if (wants_to_read) events = static_cast<short>(events | read_waits_for_);
    if (wants_to_write) events = static_cast<short>(events | write_waits_for_);
    return events;
}

}  // namespace cvp::emulator
