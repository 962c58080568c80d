#pragma once

#include <string_view>

#include "common/result.hpp"
#include "tests/emulator/front_socket.hpp"

namespace cvp::emulator {

/// One --front: HOST:PORT[,tls][,plain][,listen=PORT]: a front before a server that somebody else runs.
struct FrontRequest {
    Address server;
    bool server_has_tls = false;  ///< tls: the server speaks it; its certificate is not looked at
    bool clients_use_tls = true;  ///< plain: they do not
    std::uint16_t port = 0;       ///< listen=PORT; 0: any free one
};

/// Reads "127.0.0.1:6379,tls,listen=16379".
/// @errors invalid_argument, naming the part
Result<FrontRequest> parse_front_request(std::string_view text);

}  // namespace cvp::emulator
