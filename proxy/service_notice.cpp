#include "proxy/service_notice.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cvp::proxy {

Result<void> notify_service_manager(std::string_view socket, std::string_view state) {
    if (socket.empty()) return {};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if ((socket.front() != '/' && socket.front() != '@') || socket.size() >= sizeof(address.sun_path)) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("NOTIFY_SOCKET: '{}' is neither a path nor @name of at most {} bytes", socket,
                                sizeof(address.sun_path) - 1));
    }
    std::memcpy(address.sun_path, socket.data(), socket.size());
    if (socket.front() == '@') address.sun_path[0] = '\0';  // the kernel's form of an abstract name
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size());

    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool sent = fd >= 0 && ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                                          reinterpret_cast<const sockaddr*>(&address), length) >= 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (sent) return {};
    return fail(ErrorCode::unavailable, fmt::format("NOTIFY_SOCKET: {}: {}", socket, std::strerror(error)));
}

}  // namespace cvp::proxy
