#pragma once

#include <string>
#include <string_view>

#include "common/secret.hpp"
#include "proxy/session/local_error.hpp"

namespace cvp::proxy {

/// The login on a new connection, without I/O: what to send, and what the server's answer means.
///
/// Expected flow: command() is written once, feed() takes what comes back until it is not `pending`.
/// Guarantees: no text of the server's is ever repeated, because some servers answer an AUTH they do not know with its
/// arguments; the token is kept nowhere.
class Login {
public:
    enum class Outcome {
        pending,
        accepted,
        refused,      ///< the password does not log in (now): the pacer knows whether time may heal it
        misfit,       ///< the server takes no login of this kind: only other settings heal it
        throttled,    ///< the provider's login backend is over its quota or failing
        unavailable,  ///< the server cannot take clients now
        nonsense,     ///< not an answer to AUTH
    };

    /// "AUTH password" or, with a username, "AUTH username password", as the bytes to send. The string holds the
    /// secret: the caller lets it end right after writing it.
    static Secret command(std::string_view username, const Secret& password);

    /// Takes bytes of the server. Bytes after the answer make it nonsense: nothing was asked for yet.
    Outcome feed(std::string_view bytes);

    /// What to tell clients about an outcome other than pending and accepted.
    /// @param in_grace whether a refusal may yet heal by itself (LoginPacer)
    static LocalError explain(Outcome outcome, bool in_grace);

private:
    std::string line_;
};

}  // namespace cvp::proxy
