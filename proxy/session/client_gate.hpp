#pragma once

#include <string>
#include <string_view>

#include "proxy/resp/request_framer.hpp"
#include "proxy/session/client_policy.hpp"

namespace cvp::proxy {

/// Stands before a client that must log in (policy Require) and has not: nothing is dialled for it, and nothing that it
/// sends is kept. Answers as a server with a password does.
///
/// Owner: a Relay, until the client is let in.
class ClientGate {
public:
    explicit ClientGate(ClientPolicy policy) : policy_(std::move(policy)) {}

    struct Answer {
        std::string text;      ///< for the client
        std::string onward;    ///< once let in: what is left to do, the rest of the input included
        bool is_open = false;  ///< let in
        bool is_over = false;  ///< to be closed after `text`: QUIT, or not RESP
    };
    Answer on_bytes(std::string_view input);

private:
    void on_command(Answer& answer);

    ClientPolicy policy_;
    RequestFramer requests_;
};

}  // namespace cvp::proxy
