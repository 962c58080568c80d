#include "proxy/session/replay.hpp"

#include "proxy/session/confirmation.hpp"

namespace cvp::proxy {

Replay::Outcome Replay::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto step = replies_.step(bytes);
        if (step.is_broken) return Outcome::refused;
        bytes.remove_prefix(step.taken);
        if (!step.is_whole) continue;
        const bool is_push = replies_.type() == '>' && !is_confirmation(replies_.head());
        if (is_push || is_message(replies_.head())) continue;
        if (replies_.type() == '-' || replies_.type() == '!') return Outcome::refused;
        if (--script_.replies == 0) return bytes.empty() ? Outcome::done : Outcome::refused;
    }
    return Outcome::pending;
}

}  // namespace cvp::proxy
