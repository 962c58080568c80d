#include "proxy/acceptor.hpp"

#include <cerrno>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr int kAcceptsPerTurn = 16;  // each may cost a handshake
constexpr auto kPause = 100ms;

}  // namespace

Acceptor::Acceptor(EventLoop& loop, Owner& owner, Socket socket)
    : owner_(owner), socket_(std::move(socket)), watch_(loop, *this), pause_(loop.timers(), *this) {
    watch_.start(socket_.fd(), EPOLLIN);
}

void Acceptor::stop() {
    watch_.stop();
    pause_.stop();
    socket_.close();
}

void Acceptor::on_ready(std::uint32_t) {
    for (int i = 0; i < kAcceptsPerTurn && socket_; ++i) {
        Socket client(::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (client) {
            owner_.on_client(*this, std::move(client));
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return rest();
        // Anything else is the news of one client that went away before it was accepted.
    }
}

void Acceptor::rest() {
    watch_.want(0);
    pause_.start(SteadyClock::now() + kPause);
    owner_.on_exhausted();
}

void Acceptor::on_time(SteadyClock::time_point) {
    watch_.want(EPOLLIN);
}

}  // namespace cvp::proxy
