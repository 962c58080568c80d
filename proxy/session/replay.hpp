#pragma once

#include <string>
#include <string_view>

#include "proxy/resp/reply_framer.hpp"
#include "proxy/session/client_state.hpp"

namespace cvp::proxy {

/// Brings a new connection, logged in, to the state that a client has: what to send, and whether it worked.
///
/// Expected flow: write commands() once, then feed() until it is not `pending`.
class Replay {
public:
    enum class Outcome {
        pending,
        done,
        refused,
        unknown_script,  ///< the server does not know a script that the client counts on, or does not say
    };

    explicit Replay(const ClientState& state) : script_(write_replay(state)) {}

    const std::string& commands() const { return script_.commands; }
    bool is_needed() const { return script_.replies > 0; }

    /// Takes bytes of the server. Pushes among the replies are passed over: nobody heard of them yet.
    Outcome feed(std::string_view bytes);

private:
    ReplayScript script_;
    ReplyFramer replies_;
};

}  // namespace cvp::proxy
