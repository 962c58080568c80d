#include "proxy/session/subscriber_move.hpp"

#include <utility>

#include "proxy/session/confirmation.hpp"

namespace cvp::proxy {

SubscriberMove::SubscriberMove(const ClientState& state, std::string marker)
    : protocol_(state.protocol), marker_(std::move(marker)), answers_left_(protocol_ == 2 ? 3 : 2) {
    auto speaking = state;
    speaking.protocol = 3;
    speaking.scripts.clear();  // a gap among its messages would be the worse
    script_ = write_replay(speaking);
    append_command(script_.commands, {"SSUBSCRIBE", marker_});
    ++script_.replies;
}

std::string SubscriberMove::publish() const {
    std::string commands;
    append_command(commands, {"SPUBLISH", marker_, "1"});
    append_command(commands, {"SUNSUBSCRIBE", marker_});
    if (protocol_ == 2) append_command(commands, {"HELLO", "2"});
    return commands;
}

SubscriberMove::Step SubscriberMove::on_bytes(std::string_view bytes) {
    while (!bytes.empty() && step_ != Step::refused) {
        if (step_ == Step::arrived) {
            kept_.append(bytes);
            break;
        }
        const auto step = replies_.step(bytes);
        if (step.is_broken) return step_ = Step::refused;
        frame_.append(bytes.substr(0, step.taken));
        bytes.remove_prefix(step.taken);
        if (step.is_whole) on_frame(std::exchange(frame_, {}));
    }
    return step_;
}

void SubscriberMove::on_frame(std::string_view frame) {
    const bool is_error = replies_.type() == '-' || replies_.type() == '!';
    if (is_error) {
        step_ = Step::refused;
        return;
    }
    if (replies_.type() == '>' && !is_confirmation(frame)) {
        if (is_message_of(frame, marker_)) {
            is_past_marker_ = true;
        } else if (is_past_marker_) {
            kept_.push_back(protocol_ == 2 ? '*' : '>');
            kept_.append(frame.substr(1));
        }
        return;
    }
    if (step_ == Step::pending) {
        if (--script_.replies == 0) step_ = Step::subscribed;
        return;
    }
    if (--answers_left_ == 0) step_ = Step::arrived;
}

}  // namespace cvp::proxy
