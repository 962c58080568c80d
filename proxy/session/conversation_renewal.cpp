// What of ours may stand among the client's commands, and when another server's connection may take this one's place.

#include <utility>

#include "proxy/session/conversation.hpp"

namespace cvp::proxy {

bool Conversation::can_log_in() const {
    if (is_opaque_ || is_command_open_ || is_in_multi_ || is_reply_off_ || is_next_skipped_ || is_one_shot_set_ ||
        !marker_.empty() || is_logging_in() || fifo_.owed(Kind::nonce) > 0 || fifo_.owed(Kind::blocking) > 0) {
        return false;
    }
    // A HELLO or RESET under way decides what a subscriber may send.
    return !is_subscribed() || (state_.protocol == 3 && protocol_asked_ == 3);
}

void Conversation::inject_login(const Login& login, SteadyClock::time_point now) {
    now_ = now;
    send_login({}, login, Kind::login);
}

/// AUTH and PING in one write: a refused AUTH may have no reply at all, and the PING's shows it.
void Conversation::send_login(std::string_view before, const Login& login, Kind kind) {
    if (nonce_.empty()) nonce_ = login.nonce;  // one for all: several may be on their way
    std::string bytes;
    bytes.reserve(before.size() + login.command.reveal().size() + 64);  // no reallocation leaves a copy behind
    bytes.append(before).append(login.command.reveal());
    append_command(bytes, {"PING", nonce_});
    const Secret wiped(std::move(bytes));
    push(kind);
    push(Kind::nonce);
    send_to_server(wiped.reveal());
}

void Conversation::inject_marker(std::string channel, SteadyClock::time_point now) {
    now_ = now;
    marker_ = std::move(channel);
    send_ours({"SSUBSCRIBE", marker_}, Kind::marker);
}

void Conversation::send_ours(const std::vector<std::string_view>& words, Kind kind) {
    std::string bytes;
    append_command(bytes, words);
    push(kind);
    send_to_server(bytes);
}

std::string_view Conversation::cannot_move_because() const {
    if (is_opaque_) return "opaque";
    if (is_in_multi_) return "multi";
    if (is_watching_) return "watch";
    if (fifo_.owed(Kind::blocking) > 0) return "blocked";
    if (is_reply_off_) return "reply_off";
    if (!is_known_) return "unknown_state";
    if (state_.is_tracking && has_tracked_reads_) return "tracking";
    if (has_asked_id_) return "client_id";
    if (is_end_asked_for_) return "quit";
    if (state_.subscriptions.channels.contains("__redis__:invalidate")) return "invalidations";
    if (!is_idle() || is_in_one_shot()) return "busy";
    return "";
}

bool Conversation::can_resume() const {
    const auto why_not = cannot_move_because();
    if (why_not != "busy") return why_not.empty();
    const auto ours = fifo_.owed(Kind::login) + fifo_.owed(Kind::vital_login) + fifo_.owed(Kind::nonce);
    const bool is_frame_ours = replies_.is_at_boundary() || (is_holding_ && ours > 0);
    return !is_command_open_ && !is_in_one_shot() && fifo_.size() == ours && is_frame_ours;
}

void Conversation::start_over() {
    replies_ = ReplyFramer();
    fifo_.clear();
    answered_ = 0;
    answers_.clear();
    changes_.clear();
    held_.clear();
    marker_.clear();
    is_cut_ = false;
    is_raw_ = false;
    is_holding_ = false;
    has_tracked_reads_ = false;
    was_moved_ = may_have_written_;
}

/// WAIT tells of what its own connection has written. Where the client wrote on another one before, something of ours
/// is written first: what is older than that is waited for as well.
/// @source Valkey replication.c (waitCommand), server.c (call: the client's offset moves with what it propagates)
void Conversation::write_before_wait() {
    if (is_opaque_ || is_in_multi_ || is_silent() || is_bound_by_resp2() || !is_logged_in_) return;
    was_moved_ = false;
    send_ours({"SPUBLISH", "cvp:wait", ""}, Kind::write);  // nobody's channel, and no key's
}

/// What the client leaves at this server, or by this connection.
void Conversation::note_ties(const CommandInfo& command) {
    if (command.effect == Effect::script &&
        (requests_.is_cut_short() || !note_script(command, requests_.arguments(), state_.scripts))) {
        is_known_ = false;
    }
    if (is_about_data(command.effect)) may_have_written_ = true;
}

}  // namespace cvp::proxy
