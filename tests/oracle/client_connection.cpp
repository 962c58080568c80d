#include "tests/oracle/client_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cvp::oracle {
namespace {

constexpr std::size_t kMostPieces = 300;

}  // namespace

ClientConnection::ClientConnection(int fd) : fd_(fd) {
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

ClientConnection::ClientConnection(ClientConnection&& other) noexcept {
    *this = std::move(other);
}

ClientConnection& ClientConnection::operator=(ClientConnection&& other) noexcept {
    std::swap(fd_, other.fd_);
    in_ = std::move(other.in_);
    out_ = std::move(other.out_);
    sent_ = other.sent_;
    return *this;
}

ClientConnection::~ClientConnection() {
    close();
}

void ClientConnection::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void ClientConnection::queue(std::string bytes, const Part& part) {
    if (!has_output()) {
        out_ = std::move(bytes);
        sent_ = 0;
    } else {
        out_ += bytes;
    }
    piece_ = part.piece == 0 ? 0 : std::max(part.piece, out_.size() / kMostPieces);
    pieces_ = Rng(part.piece_seed);
    writes_first_ = part.writes_first;
    stuck_ = false;
}

void ClientConnection::write_piece() {
    if (fd_ < 0 || !has_output()) return;
    auto size = out_.size() - sent_;
    if (piece_ > 0) size = std::min(size, pieces_.between(1, 2 * piece_));
    const auto sent = ::send(fd_, out_.data() + sent_, size, MSG_NOSIGNAL);
    stuck_ = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (sent >= 0)
        sent_ += static_cast<std::size_t>(sent);
    else if (!stuck_)
        sent_ = out_.size();  // the peer is gone; what it said before can still be read
}

void ClientConnection::read_some() {
    static thread_local std::array<char, std::size_t{128} * 1024> buffer;
    while (fd_ >= 0) {
        const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (got > 0) {
            in_.append(buffer.data(), static_cast<std::size_t>(got));
            if (static_cast<std::size_t>(got) < buffer.size()) return;
        } else {
            if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
            close();
        }
    }
}

bool ClientConnection::has_seen(const std::string& text) {
    if (searched_ != text) {
        searched_ = text;
        searched_to_ = 0;
    }
    const auto from = searched_to_ < text.size() ? 0 : searched_to_ - text.size();
    if (in_.find(text, from) != std::string::npos) return true;
    searched_to_ = in_.size();
    return false;
}

void ClientConnection::finish_writing() {
    if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

}  // namespace cvp::oracle
