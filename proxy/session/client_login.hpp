#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/client_policy.hpp"

namespace cvp::proxy {

/// What becomes of a command with which a client logs in. Credentials of the client's never go to the server: its
/// connection is logged in as we are.
struct LoginVerdict {
    bool is_logged_in = false;  ///< the client may speak from here on
    std::string answer;         ///< RESP, what it hears; empty: the server's reply to `forward`
    std::string forward;        ///< RESP, what the server gets in place of the command

    bool operator==(const LoginVerdict&) const = default;
};

inline constexpr std::string_view kNoAuth = "-NOAUTH Authentication required.\r\n";

/// AUTH [user] password. Texts are the server's own.
/// @param was_logged_in whether the client was before
LoginVerdict judge_auth(const ClientPolicy& policy, const std::vector<std::string_view>& arguments, bool was_logged_in);

/// HELLO [version [AUTH user password] [SETNAME name]]: the server gets it without AUTH, so that version, modules and
/// refusals in its answer are its own.
LoginVerdict judge_hello(const ClientPolicy& policy, const std::vector<std::string_view>& arguments,
                         bool was_logged_in);

}  // namespace cvp::proxy
