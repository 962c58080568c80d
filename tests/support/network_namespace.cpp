#include "tests/support/network_namespace.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cvp::test {
namespace {

tl::unexpected<Error> refuse(const std::string& what) {
    const auto code = errno == EPERM ? ErrorCode::permission_denied : ErrorCode::internal;
    return fail(code, what + ": " + std::generic_category().message(errno));
}

Result<void> raise_loopback() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refuse("socket");
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    const bool is_up = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    const int error = errno;
    ::close(fd);
    errno = error;
    if (!is_up) return refuse("raising the loopback device");
    return {};
}

}  // namespace

Result<void> enter_network_namespace() {
    const int flags = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
    if (::unshare(flags) != 0) return refuse("making a network namespace (needs root or user namespaces)");
    return raise_loopback();
}

}  // namespace cvp::test
