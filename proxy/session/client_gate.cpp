#include "proxy/session/client_gate.hpp"

#include "proxy/session/client_login.hpp"

namespace cvp::proxy {

namespace {

constexpr std::string_view kTooLong = "-ERR Protocol error: unauthenticated bulk length\r\n";

}  // namespace

ClientGate::Answer ClientGate::on_bytes(std::string_view input) {
    Answer answer;
    requests_.feed(input);
    while (!answer.is_over && !answer.is_open) {
        const auto step = requests_.step();
        switch (step.event) {
            case RequestFramer::Event::starved:
                return answer;
            case RequestFramer::Event::body:
            case RequestFramer::Event::noise:
                break;
            case RequestFramer::Event::broken:
                answer.text += "-ERR Protocol error\r\n";
                answer.is_over = true;
                break;
            case RequestFramer::Event::command:
                on_command(answer);
                break;
        }
    }
    if (answer.is_open) answer.onward += requests_.take_rest();
    return answer;
}

void ClientGate::on_command(Answer& answer) {
    if (requests_.is_cut_short()) {
        answer.text += kTooLong;
        answer.is_over = true;
        return;
    }
    const auto let_in = [&](LoginVerdict verdict) {
        answer.text += verdict.answer;
        answer.onward += verdict.forward;
        answer.is_open = verdict.is_logged_in;
    };
    switch (requests_.command().effect) {
        case Effect::auth:
            return let_in(judge_auth(policy_, requests_.arguments(), false));
        case Effect::hello:
            return let_in(judge_hello(policy_, requests_.arguments(), false));
        case Effect::reset:
            answer.text += "+RESET\r\n";
            return;
        case Effect::quit:
            answer.text += "+OK\r\n";
            answer.is_over = true;
            return;
        default:
            answer.text += kNoAuth;
            return;
    }
}

}  // namespace cvp::proxy
