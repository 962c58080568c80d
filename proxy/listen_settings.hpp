#pragma once

#include <optional>
#include <string>

#include "common/config/settings.hpp"
#include "proxy/config.hpp"

/// The part of the configuration that says where clients come in and what they must show. Pure: no file is opened.
namespace cvp::proxy {

/// --unix-socket as the path of the only connection's socket, and its mode.
std::optional<UnixSocketOptions> read_socket(Settings& settings);

/// --unix-socket as a directory, in which each connection has a socket under its own name: NAME.sock.
class SocketDirectory {
public:
    explicit SocketDirectory(Settings& settings);

    /// @return nothing without --unix-socket
    std::optional<UnixSocketOptions> socket_of(Settings& settings, const std::string& connection) const;

private:
    std::optional<Setting> path_;
    mode_t mode_ = UnixSocketOptions().mode;
};

/// Address, files and rules: `listen`, `listen_files` and `clients` of the configuration, whose sources are read
/// already: with a document it is the document that may say clientAuth.
void read_clients(Settings& settings, Config& config);

}  // namespace cvp::proxy
