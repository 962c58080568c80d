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
        const bool is_error = replies_.type() == '-' || replies_.type() == '!';
        const bool is_about_script = script_.replies <= script_.scripts;
        if (is_about_script && (is_error || replies_.head().starts_with("*1\r\n:0"))) return Outcome::unknown_script;
        if (is_error) return Outcome::refused;
        if (--script_.replies == 0) return bytes.empty() ? Outcome::done : Outcome::refused;
    }
    return Outcome::pending;
}

}  // namespace cvp::proxy
