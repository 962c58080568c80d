#include "proxy/loop/unix_socket.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace cvp::proxy {

namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr mode_t kOursAlone = 0177;  ///< what is masked

/// The mode of files that are made while it lives. Process-wide: no other thread of ours makes files.
class Umask {
public:
    explicit Umask(mode_t masked) : before_(::umask(masked)) {}
    ~Umask() { ::umask(before_); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

private:
    mode_t before_;
};

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
    return fail(ErrorCode::unavailable, "cannot listen on " + path + ": " + why);
}

tl::unexpected<Error> refuse(const std::string& path, int error) {
    return refuse(path, std::generic_category().message(error));
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());  // its size was checked, and the rest is zero
    return address;
}

Socket make_socket() {
    return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Makes room for a socket's file: removes one that a process which was killed has left.
Result<void> clear_stale(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return refuse(path, errno);
    }
    if (!S_ISSOCK(status.st_mode)) return refuse(path, "something else than a socket has that name");
    const auto probe = make_socket();
    if (!probe) return refuse(path, errno);
    const auto address = address_of(path);
    const bool is_taken = ::connect(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (is_taken || errno == EAGAIN) return refuse(path, "another process serves it");
    if (errno != ECONNREFUSED) return refuse(path, errno);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return refuse(path, errno);
    return {};
}

}  // namespace

Result<void> check_socket_path(std::string_view path) {
    const auto must = [](std::string what) { return fail(ErrorCode::invalid_argument, "must be " + std::move(what)); };
    if (path.empty() || path.ends_with('/')) return must("the path of a socket, such as /run/valkey/valkey.sock");
    if (path.front() == '@') return must("a path in the file system: abstract names are open to every process");
    if (path.size() > kMaxPath) return must("at most " + std::to_string(kMaxPath) + " bytes long");
    return {};
}

SocketFile::SocketFile(std::string path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return;
    path_ = std::move(path);
    device_ = status.st_dev;
    inode_ = status.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
    return *this;
}

void SocketFile::remove() {
    if (path_.empty()) return;
    const auto path = std::exchange(path_, {});
    struct stat status {};
    const bool is_ours = ::lstat(path.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
    if (is_ours) ::unlink(path.c_str());
}

Result<UnixListener> listen_unix(const UnixSocketOptions& options) {
    const auto& path = options.path;
    if (auto checked = check_socket_path(path); !checked) return refuse(path, checked.error().context);
    if (auto cleared = clear_stale(path); !cleared) return fail(std::move(cleared).error());
    auto socket = make_socket();
    if (!socket) return refuse(path, errno);
    const auto address = address_of(path);
    {
        const Umask ours_alone(kOursAlone);
        if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            return refuse(path, errno);
        }
    }
    SocketFile file(path);
    if (::chmod(path.c_str(), options.mode) != 0 || ::listen(socket.fd(), SOMAXCONN) != 0) return refuse(path, errno);
    return UnixListener{std::move(socket), std::move(file)};
}

}  // namespace cvp::proxy
