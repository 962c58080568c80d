#include "tests/emulator/login_gate.hpp"

namespace cvp::emulator {

using proxy::Effect;
using Event = proxy::RequestFramer::Event;

void LoginGate::take_from_client(std::string_view bytes, SteadyClock::time_point now) {
    if (is_cut_) return;
    input_ = bytes;
    framer_.feed(input_);
    go_on(now);
}

void LoginGate::take_from_server(std::string_view bytes) {
    if (!is_cut_) is_cut_ = !stand_ins_.pass(bytes, to_client_);
}

void LoginGate::on_time(SteadyClock::time_point now) {
    if (!held_until_ || now < *held_until_) return;
    held_until_.reset();
    let_go(now);
    go_on(now);
}

void LoginGate::go_on(SteadyClock::time_point now) {
    while (!held_until_) {
        const auto step = framer_.step();
        if (step.event == Event::starved) return;
        if (step.event == Event::command) {
            pass_command(step.bytes, now);
        } else {
            to_server_ += step.bytes;
        }
    }
}

void LoginGate::pass_command(std::string_view bytes, SteadyClock::time_point now) {
    const auto effect = framer_.command().effect;
    const auto attempt = is_in_multi_ ? std::nullopt : login_of_command();
    if (effect == Effect::multi) is_in_multi_ = true;
    if (effect == Effect::exec || effect == Effect::discard || effect == Effect::reset) is_in_multi_ = false;
    if (!attempt) {
        to_server_ += bytes;
        return;
    }
    const auto verdict = judge_.judge(*attempt, now);
    const bool passes = verdict.answer == LoginAnswer::pass;
    held_ = passes ? std::string(bytes)
                   : stand_ins_.add(answer_bytes(verdict.answer, effect == Effect::hello),
                                    verdict.answer == LoginAnswer::cut);
    held_logs_in_ = passes && verdict.logs_in;
    if (verdict.delay.count() > 0) {
        held_until_ = now + verdict.delay;
    } else {
        let_go(now);
    }
}

std::optional<LoginAttempt> LoginGate::login_of_command() const {
    const auto& words = framer_.arguments();
    const auto effect = framer_.command().effect;
    const bool is_later = last_login_.has_value();
    if (effect == Effect::auth && words.size() == 1) return LoginAttempt{{}, words[0], is_later};
    if (effect == Effect::auth && words.size() == 2) return LoginAttempt{words[0], words[1], is_later};
    if (effect != Effect::hello) return std::nullopt;
    for (std::size_t i = 1; i + 2 < words.size(); ++i) {
        if (proxy::equals_ignoring_case(words[i], "auth")) return LoginAttempt{words[i + 1], words[i + 2], is_later};
        if (proxy::equals_ignoring_case(words[i], "setname")) ++i;
    }
    return std::nullopt;
}

void LoginGate::let_go(SteadyClock::time_point now) {
    to_server_ += held_;
    held_.clear();
    if (!held_logs_in_) return;
    last_login_ = now;
    if (!first_login_) first_login_ = now;
}

}  // namespace cvp::emulator
