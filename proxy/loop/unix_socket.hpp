#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/result.hpp"
#include "proxy/loop/socket.hpp"

namespace cvp::proxy {

/// Where clients find a unix socket, and the mode of its file: who may connect.
struct UnixSocketOptions {
    std::string path;
    mode_t mode = 0600;

    bool operator==(const UnixSocketOptions&) const = default;
};

/// Checks that a unix socket can have this path: 1 to 107 bytes, no name of the abstract namespace (a leading '@'),
/// which has no mode and is open to every process of the network namespace; no directory's name ("…/").
/// @errors invalid_argument, as the end of a sentence: "must be …"
Result<void> check_socket_path(std::string_view path);

/// The file of a listening unix socket. Goes when it ends; but a file that somebody else has put there since stays:
/// ours is known by its inode, which is nobody else's while the socket is open. It ends before the socket does.
class SocketFile {
public:
    SocketFile() = default;
    /// Takes note of the file that is there now.
    explicit SocketFile(std::string path);
    ~SocketFile() { remove(); }
    SocketFile(SocketFile&& other) noexcept;
    SocketFile& operator=(SocketFile&& other) noexcept;

    void remove();

private:
    std::string path_;  ///< "": none
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

struct UnixListener {
    Socket socket;
    SocketFile file;
};

/// Binds and listens, non-blocking. A socket's file that nobody listens on any more is replaced; nothing else is. The
/// file is never more open than `mode`: it is made for nobody but us, and opened up before it listens.
/// @errors unavailable, naming the path and the reason
Result<UnixListener> listen_unix(const UnixSocketOptions& options);

}  // namespace cvp::proxy
