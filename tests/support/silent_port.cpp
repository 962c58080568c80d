#include "tests/support/silent_port.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cvp::test {

Result<SilentPort> SilentPort::open(std::uint16_t port) {
    SilentPort silent;
    const auto make = [&] {
        silent.descriptors_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        return silent.descriptors_.back();
    };
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    const int listener = make();
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener, 0) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return fail(ErrorCode::unavailable, "cannot listen on port " + std::to_string(port));
    silent.port_ = ntohs(address.sin_port);
    constexpr int kMore = 8;  // than any kernel's idea of a queue for none
    for (int i = 0; i < kMore; ++i) {
        const int waiting = make();
        ::connect(waiting, reinterpret_cast<const sockaddr*>(&address), size);
        pollfd is_connected{.fd = waiting, .events = POLLOUT, .revents = 0};
        if (::poll(&is_connected, 1, 100) == 0) return silent;
    }
    return fail(ErrorCode::unavailable, "the queue of the listener does not fill");
}

SilentPort::~SilentPort() {
    for (const int descriptor : descriptors_)
        ::close(descriptor);
}

}  // namespace cvp::test
