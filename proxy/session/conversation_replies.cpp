#include <algorithm>
#include <array>
#include <utility>

#include "proxy/session/confirmation.hpp"
#include "proxy/session/conversation.hpp"

namespace cvp::proxy {

namespace {

constexpr std::size_t kHeldLimit = std::size_t{64} * 1024;  ///< nothing that we wait for is longer
constexpr std::size_t kNamesLimit = 100'000;

std::string_view without_line_end(std::string_view frame) {
    return frame.substr(0, frame.find("\r\n"));
}

}  // namespace

void Conversation::on_server_bytes(std::string_view bytes, SteadyClock::time_point now) {
    if (is_cut_) return;
    now_ = now;
    input_ = bytes;
    while (!bytes.empty() && !is_raw_ && !is_cut_) {
        if (const auto passed = pass_usual_replies(bytes); passed > 0) {
            bytes.remove_prefix(passed);
            is_raw_ = is_copied_ && fifo_.empty();
            continue;
        }
        if (replies_.is_at_boundary()) is_holding_ = must_hold();
        const auto step = replies_.step(bytes);
        if (step.is_broken) {
            if (is_logging_in() ||
                fifo_.owed(Kind::replaced) + fifo_.owed(Kind::nonce) + fifo_.owed(Kind::resync) > 0) {
                return lose("the server's answer is not RESP");
            }
            copy_from_here();
            is_raw_ = true;
            if (is_holding_) send_to_client(std::exchange(held_, {}));
            break;
        }
        const auto part = bytes.substr(0, step.taken);
        bytes.remove_prefix(step.taken);
        if (!is_holding_) {
            pass_to_client(part);
            if (step.is_whole) take_frame({});
        } else if (step.is_whole && held_.empty()) {
            take_frame(part);
        } else {
            held_.append(part);
            if (step.is_whole) {
                const auto frame = std::exchange(held_, {});
                take_frame(frame);
            } else if (held_.size() > kHeldLimit) {
                is_holding_ = false;
                send_to_client(std::exchange(held_, {}));
            }
        }
        if (is_copied_ && fifo_.empty() && replies_.is_at_boundary()) is_raw_ = true;
    }
    report_answered();
    if (is_raw_ && !is_cut_) pass_to_client(bytes);
    send_to_client({});
}

/// Most of what comes is plain replies to plain commands: those of one slot pass as a run.
/// @return how many bytes did
std::size_t Conversation::pass_usual_replies(std::string_view bytes) {
    const bool is_usual =
        replies_.is_at_boundary() && marker_.empty() && !fifo_.empty() && fifo_.front().kind == Kind::plain;
    if (!is_usual) return 0;
    const auto run = replies_.take_usual(bytes, fifo_.front().count - answered_);
    pass_to_client(bytes.substr(0, run.bytes));
    answered_ += static_cast<std::uint32_t>(run.frames);
    if (fifo_.front().count == answered_) finish_slot();
    return run.bytes;
}

/// Whether the next frame may be one that the client must not see, or one of which all must be seen.
bool Conversation::must_hold() const {
    if (!marker_.empty()) return true;
    if (fifo_.empty()) return false;
    switch (fifo_.front().kind) {
        case Kind::plain:
        case Kind::blocking:
        case Kind::change:
            return false;
        case Kind::subscribe:
        case Kind::unsubscribe:
        case Kind::unsubscribe_all:
        case Kind::replaced:
        case Kind::login:
        case Kind::vital_login:
        case Kind::nonce:
        case Kind::write:
        case Kind::marker:
        case Kind::resync:
            return true;
    }
    return false;
}

/// @param frame all of it if it was held; empty if it has passed
void Conversation::take_frame(std::string_view frame) {
    const auto head = frame.empty() ? replies_.head() : frame;
    if (is_out_of_band(head)) return take_push(frame);
    if (fifo_.empty()) {  // the server speaks unasked: its last words, as a rule
        pass_to_client(frame);
        if (replies_.type() == '-') wire_.on_server_error(replies_.head());
        return;
    }
    take_reply(frame);
}

/// Pushes of RESP3 always are; of RESP2, messages to a subscriber. Confirmations are replies, in both.
bool Conversation::is_out_of_band(std::string_view head) const {
    if (replies_.type() == '>') {
        if (fifo_.empty()) return true;
        const auto kind = fifo_.front().kind;
        const bool is_awaited = kind == Kind::subscribe || kind == Kind::unsubscribe || kind == Kind::unsubscribe_all ||
                                kind == Kind::marker;
        return !is_awaited || !is_confirmation(head);
    }
    return replies_.type() == '*' && state_.protocol == 2 && !state_.subscriptions.empty() && is_message(head);
}

void Conversation::take_push(std::string_view frame) {
    if (!marker_.empty() && is_message_of(frame, marker_)) {
        is_cut_ = true;
        send_to_client({});
        return wire_.on_marker();
    }
    // A shard that moves away ends its subscriptions unasked.
    if (const auto ended = parse_confirmation(frame.empty() ? replies_.head() : frame); ended && !ended->is_subscribed)
        state_.subscriptions.shards.erase(std::string(ended->name));
    pass_to_client(frame);
}

void Conversation::take_reply(std::string_view frame) {
    const bool is_error = replies_.type() == '-' || replies_.type() == '!';
    switch (fifo_.front().kind) {
        case Kind::plain:
        case Kind::blocking:
            break;
        case Kind::change:
            take_change(is_error);
            break;
        case Kind::replaced:
            send_to_client(answers_.front());
            answers_.erase(answers_.begin());
            return finish_slot();
        case Kind::login:
        case Kind::vital_login:
        case Kind::nonce:
            return take_login(frame);
        case Kind::resync:
            pass_to_client(frame);
            if (frame != "+RESET\r\n") return;
            apply(change_by_reset(), state_);
            return finish_slot();
        case Kind::write:
            if (is_error) return lose("the server refuses the write that a WAIT needs");
            return finish_slot();
        case Kind::marker:
            finish_slot();
            return wire_.on_marker_subscribed(is_error);
        case Kind::subscribe:
        case Kind::unsubscribe:
        case Kind::unsubscribe_all:
            pass_to_client(frame);
            if (is_error) {
                wire_.on_server_error(replies_.head());
                return finish_slot();
            }
            return take_confirmation(frame);
    }
    pass_to_client(frame);
    if (is_error) wire_.on_server_error(replies_.head());
    ++answered_;
    if (fifo_.front().count == answered_) finish_slot();
}

void Conversation::take_change(bool is_refused) {
    const auto change = std::move(changes_.front());
    changes_.erase(changes_.begin());
    if (!is_refused) apply(change, state_);
    // What was assumed when it was sent is known now, unless another one is on its way.
    const auto is_about_protocol = [](const StateChange& other) { return other.protocol || other.reset; };
    const bool is_last =
        fifo_.owed(Kind::resync) == 0 && std::none_of(changes_.begin(), changes_.end(), is_about_protocol);
    if (is_about_protocol(change) && is_last) protocol_asked_ = state_.protocol;
}

void Conversation::take_confirmation(std::string_view frame) {
    const auto confirmation = parse_confirmation(frame);
    if (!confirmation) return finish_slot();  // one reply of another kind: PING's to a subscriber cannot stand here
    auto& names = confirmation->kind == 's'   ? state_.subscriptions.shards
                  : confirmation->kind == 'p' ? state_.subscriptions.patterns
                                              : state_.subscriptions.channels;
    if (fifo_.front().kind == Kind::unsubscribe_all) {
        fifo_.expect(Kind::unsubscribe, static_cast<std::uint32_t>(std::max<std::size_t>(names.size(), 1)));
    }
    if (confirmation->is_subscribed) {
        names.emplace(confirmation->name);
        if (names.size() > kNamesLimit) become_opaque();
    } else if (!confirmation->is_null) {
        names.erase(std::string(confirmation->name));
    }
    fifo_.pop();
}

/// After AUTH and PING <nonce>: "+OK" and the nonce; "-WRONGPASS …" and the nonce; or, where something was owed when a
/// login was refused, the nonce alone.
/// @source data-plane 0.1, data-plane-verified 1.1
void Conversation::take_login(std::string_view frame) {
    const bool is_nonce = frame == "$" + std::to_string(nonce_.size()) + "\r\n" + nonce_ + "\r\n";
    const bool is_error = replies_.type() == '-';
    if (const auto kind = fifo_.front().kind; kind != Kind::nonce) {
        const bool is_accepted = frame == "+OK\r\n";
        if (!is_accepted && !is_error && !is_nonce) return lose("the server's answer to AUTH makes no sense");
        finish_slot();
        if (kind == Kind::vital_login && !is_accepted) {
            wire_.on_login_answer(is_nonce ? std::string_view() : without_line_end(frame));
            return lose("the login after RESET was refused");
        }
        if (is_nonce) finish_slot();
        return wire_.on_login_answer(is_nonce ? std::string_view() : without_line_end(frame));
    }
    // A user without the right to PING has "-NOPERM" here.
    if (!is_nonce && !is_error) return lose("the server's answer to PING makes no sense");
    finish_slot();
}

void Conversation::finish_slot() {
    report_answered();
    if (!fifo_.empty()) fifo_.pop_slot();
}

/// Replies are reported by the slot and not one by one: a pipeline is cheap.
void Conversation::report_answered() {
    if (answered_ == 0) return;
    const auto& slot = fifo_.front();
    wire_.on_replies(slot.command, answered_, now_ - slot.at);
    fifo_.expect(slot.kind, slot.count - answered_);
    answered_ = 0;
}

void Conversation::lose(std::string_view why) {
    is_cut_ = true;
    send_to_client({});
    wire_.on_lost(why);
}

void Conversation::pass_to_client(std::string_view bytes) {
    if (bytes.empty()) return;
    if (const auto before = client_run_.add(bytes); !before.empty()) wire_.to_client(before);
    if (!is_part_of(bytes, input_)) send_to_client({});
}

void Conversation::send_to_client(std::string_view bytes) {
    if (const auto before = client_run_.take(); !before.empty()) wire_.to_client(before);
    if (!bytes.empty()) wire_.to_client(bytes);
}

}  // namespace cvp::proxy
