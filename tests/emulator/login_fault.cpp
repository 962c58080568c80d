#include "tests/emulator/login_fault.hpp"

#include <array>
#include <utility>

namespace cvp::emulator {
namespace {

constexpr std::array<std::pair<std::string_view, LoginAnswer>, 6> kAnswers = {{
    {"pass", LoginAnswer::pass},
    {"WRONGPASS", LoginAnswer::wrongpass},
    {"ERR_IAM_EXHAUSTED", LoginAnswer::iam_exhausted},
    {"ERR_IAM_OTHER", LoginAnswer::iam_other},
    {"silence", LoginAnswer::silence},
    {"cut", LoginAnswer::cut},
}};

bool fits(const LoginFault& fault, bool is_later) {
    return fault.turn == LoginTurn::any || (fault.turn == LoginTurn::later) == is_later;
}

}  // namespace

Result<LoginAnswer> parse_login_answer(std::string_view text) {
    for (const auto& [word, answer] : kAnswers)
        if (word == text) return answer;
    return fail(ErrorCode::invalid_argument,
                "answer '" + std::string(text) +
                    "': expected pass, WRONGPASS, ERR_IAM_EXHAUSTED, ERR_IAM_OTHER, silence or cut");
}

std::string_view to_string(LoginAnswer answer) {
    for (const auto& [word, entry] : kAnswers)
        if (entry == answer) return word;
    return "?";
}

std::string_view answer_bytes(LoginAnswer answer, bool is_hello) {
    switch (answer) {
        case LoginAnswer::wrongpass:
            return "-WRONGPASS invalid username-password pair or user is disabled\r\n";
        case LoginAnswer::iam_exhausted:
            return "-ERR (ERR_IAM_EXHAUSTED) Memorystore IAM authentication backend quota exceeded.\r\n";
        case LoginAnswer::iam_other:
            return "-ERR (ERR_IAM_OTHER) Memorystore IAM authentication backend error.\r\n";
        case LoginAnswer::cut:
            return is_hello ? "%7\r\n$6\r\nser" : "+O";
        case LoginAnswer::pass:
        case LoginAnswer::silence:
            break;
    }
    return {};
}

LoginDisturbance LoginFaults::take(bool is_later, SteadyClock::time_point now) {
    std::erase_if(faults_, [&](const LoginFault& fault) { return fault.expiry && *fault.expiry <= now; });
    LoginDisturbance result;
    for (auto& fault : faults_) {
        if (!fits(fault, is_later)) continue;
        if (fault.answer != LoginAnswer::pass && result.answer != LoginAnswer::pass) continue;
        result.delay += fault.delay;
        if (fault.answer != LoginAnswer::pass) result.answer = fault.answer;
        if (fault.remaining) --*fault.remaining;
    }
    std::erase_if(faults_, [](const LoginFault& fault) { return fault.remaining && *fault.remaining <= 0; });
    return result;
}

}  // namespace cvp::emulator
