#include "tests/oracle/relay_end.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cvp::oracle {

RelayEnd::RelayEnd(int fd) : fd_(fd) {
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

RelayEnd::RelayEnd(RelayEnd&& other) noexcept {
    *this = std::move(other);
}

RelayEnd& RelayEnd::operator=(RelayEnd&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(in_, other.in_);
    std::swap(out_, other.out_);
    std::swap(ended_, other.ended_);
    std::swap(finishing_, other.finishing_);
    return *this;
}

RelayEnd::~RelayEnd() {
    close();
}

void RelayEnd::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void RelayEnd::read() {
    std::array<char, std::size_t{64} * 1024> buffer;
    while (fd_ >= 0 && !ended_) {
        const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (got > 0) {
            in_.append(buffer.data(), static_cast<std::size_t>(got));
            if (static_cast<std::size_t>(got) < buffer.size()) return;
        } else {
            if (got < 0 && errno == EAGAIN) return;
            ended_ = true;
        }
    }
}

void RelayEnd::write() {
    if (fd_ < 0) return;
    while (!out_.empty()) {
        const auto sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) out_.clear();
            return;
        }
        out_.erase(0, static_cast<std::size_t>(sent));
    }
    if (std::exchange(finishing_, false)) ::shutdown(fd_, SHUT_WR);
}

int connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

}  // namespace cvp::oracle
