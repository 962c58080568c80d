#include "tests/oracle/login_faults.hpp"

#include <array>
#include <chrono>

#include <fmt/core.h>

namespace cvp::oracle {
namespace {

using namespace std::chrono_literals;
using emulator::LoginAnswer;

constexpr std::array kAnswers = {LoginAnswer::wrongpass, LoginAnswer::silence, LoginAnswer::iam_exhausted,
                                 LoginAnswer::iam_other, LoginAnswer::pass};
constexpr auto kDelay = 20ms;  // of those that pass
constexpr int kLogins = 2;     // of one program that are hit

}  // namespace

Result<LoginFaults> LoginFaults::start(const ServerUnderTest& server) {
    emulator::FrontOptions options;
    options.server = {"127.0.0.1", server.tls_port()};
    options.server_has_tls = true;
    const auto certificate = server.ca().valkey();
    options.certificate.emplace();
    options.certificate->certificate_pem = certificate.certificate_pem;
    options.certificate->key_pem = certificate.key_pem;
    auto front = emulator::Front::start(std::move(options));
    if (!front) return fail(std::move(front).error());
    (*front)->set_logins(std::vector<Secret>{server.password()});
    return LoginFaults(*std::move(front));
}

void LoginFaults::next() {
    front_->clear_faults();
    const auto turn = turn_++;
    if (turn % 2 != 0) return;
    emulator::LoginFault fault;
    fault.answer = kAnswers[turn / 2 % kAnswers.size()];
    fault.turn = emulator::LoginTurn::later;
    fault.remaining = kLogins;
    if (fault.answer == LoginAnswer::pass) fault.delay = kDelay;
    front_->add_fault(fault);
}

std::string LoginFaults::to_string() const {
    const auto counts = front_->counts();
    return fmt::format(
        "of the logins on connections in use {} passed, {} were refused, {} left unanswered, {} delayed\n",
        counts.relogins_passed, counts.logins_refused, counts.logins_silenced, counts.logins_delayed);
}

}  // namespace cvp::oracle
