#pragma once

#include <string_view>

#include "common/result.hpp"

namespace cvp::proxy {

/// Tells the service manager that started us how we are, if one listens: systemd's Type=notify waits for "READY=1".
///
/// One datagram to the Unix socket that the environment variable NOTIFY_SOCKET names; libsystemd is not needed for it.
/// @param socket the variable's value: a path, or "@" and an abstract name; empty means that nobody listens, which is
///        no error
/// @param state e.g. "READY=1"
/// @errors `invalid_argument` for a name that is no socket's, `unavailable` if it could not be sent; neither is worth a
///         retry: the manager gives up on us after its own timeout
/// @source sd_notify(3)
Result<void> notify_service_manager(std::string_view socket, std::string_view state);

}  // namespace cvp::proxy
