#include "proxy/upstream/login.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cvp::proxy {

namespace {

constexpr std::size_t kMaxAnswerBytes = 1024;

struct Answer {
    std::string_view prefix;
    Login::Outcome outcome;
};

/// By prefix: Google's texts lack the full stop that Valkey's have, and tails differ between products and versions.
constexpr std::array kAnswers{
    Answer{"+OK", Login::Outcome::accepted},
    Answer{"-WRONGPASS", Login::Outcome::refused},
    Answer{"-NOAUTH", Login::Outcome::refused},
    Answer{"-ERR invalid password", Login::Outcome::refused},  // before Redis 6
    Answer{"-ERR (ERR_IAM_EXHAUSTED)", Login::Outcome::throttled},
    Answer{"-ERR (ERR_IAM_OTHER)", Login::Outcome::throttled},
    Answer{"-ERR max number of clients", Login::Outcome::unavailable},
    Answer{"-LOADING", Login::Outcome::unavailable},
    Answer{"-BUSY", Login::Outcome::unavailable},
    Answer{"-NOPERM", Login::Outcome::misfit},
    Answer{"-DENIED", Login::Outcome::misfit},
    Answer{"-ERR AUTH <password> called without any password", Login::Outcome::misfit},
    Answer{"-ERR Client sent AUTH, but no password is set", Login::Outcome::misfit},
    Answer{"-ERR unknown command", Login::Outcome::misfit},
    Answer{"-ERR wrong number of arguments", Login::Outcome::misfit},  // usernames before Redis 6
};

void append_bulk(std::string& command, std::string_view word) {
    command.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

}  // namespace

Secret Login::command(std::string_view username, const Secret& password) {
    std::string command;
    command.reserve(64 + username.size() + password.reveal().size());  // no reallocation leaves a copy behind
    command.append(username.empty() ? "*2\r\n" : "*3\r\n");
    append_bulk(command, "AUTH");
    if (!username.empty()) append_bulk(command, username);
    append_bulk(command, password.reveal());
    return Secret(std::move(command));
}

Login::Outcome Login::feed(std::string_view bytes) {
    line_.append(bytes.substr(0, kMaxAnswerBytes));
    const auto end = line_.find("\r\n");
    if (end == std::string::npos) return line_.size() < kMaxAnswerBytes ? Outcome::pending : Outcome::nonsense;
    const auto* known = std::find_if(kAnswers.begin(), kAnswers.end(),
                                     [this](const Answer& answer) { return line_.starts_with(answer.prefix); });
    if (known == kAnswers.end()) return Outcome::nonsense;
    if (known->outcome == Outcome::accepted && line_ != "+OK\r\n") return Outcome::nonsense;
    return known->outcome;
}

LocalError Login::explain(Outcome outcome, bool in_grace) {
    switch (outcome) {
        case Outcome::refused:
            if (in_grace) {
                return {Cause::login_refused,
                        "the server does not take the login yet; new access takes some minutes to reach it", true};
            }
            return make_local_error(
                Cause::login_refused,
                "the server refuses the login; check that this identity may connect to the instance");
        case Outcome::misfit:
            return make_local_error(Cause::login_refused,
                                    "the server takes no login of this kind; check the connection's auth settings");
        case Outcome::throttled:
            return make_local_error(Cause::login_throttled,
                                    "the provider's login service is over its quota or failing");
        case Outcome::unavailable:
            return make_local_error(Cause::upstream_unreachable, "the server takes no new clients at the moment");
        case Outcome::pending:
        case Outcome::accepted:
        case Outcome::nonsense:
            break;
    }
    return make_local_error(Cause::upstream_unreachable, "the server's answer to the login makes no sense");
}

}  // namespace cvp::proxy
