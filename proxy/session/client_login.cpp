#include "proxy/session/client_login.hpp"

#include "proxy/resp/command_table.hpp"
#include "proxy/session/client_state.hpp"

namespace cvp::proxy {

namespace {

using Arguments = std::vector<std::string_view>;

constexpr std::string_view kOk = "+OK\r\n";
constexpr std::string_view kArity = "-ERR wrong number of arguments for 'auth' command\r\n";
constexpr std::string_view kSyntax = "-ERR syntax error\r\n";
constexpr std::string_view kWrongPass = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
constexpr std::string_view kNoPassword =
    "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration "
    "is correct?\r\n";
constexpr std::string_view kNoVersion = "-NOPROTO unsupported protocol version\r\n";
constexpr std::string_view kHelloNoAuth =
    "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
    "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time\r\n";

/// What a client hears that shows these credentials: +OK or an error.
std::string_view answer_to(const ClientPolicy& policy, std::string_view user, std::string_view password) {
    switch (policy.mode) {
        case ClientAuth::accept:
            return kOk;
        case ClientAuth::require:
            if (policy.certificate_is_enough) return kOk;
            if ((user.empty() || user == "default") && policy.password &&
                *policy.password == Secret(std::string(password))) {
                return kOk;
            }
            return kWrongPass;
        case ClientAuth::reject:
            return user.empty() ? kNoPassword : kWrongPass;
    }
    return kWrongPass;
}

}  // namespace

LoginVerdict judge_auth(const ClientPolicy& policy, const Arguments& arguments, bool was_logged_in) {
    LoginVerdict verdict;
    verdict.is_logged_in = was_logged_in;
    if (arguments.empty()) {
        verdict.answer = kArity;
    } else if (arguments.size() > 2) {
        verdict.answer = kSyntax;
    } else {
        const auto user = arguments.size() == 2 ? arguments[0] : std::string_view();
        verdict.answer = answer_to(policy, user, arguments.back());
        verdict.is_logged_in = was_logged_in || verdict.answer == kOk;
    }
    return verdict;
}

LoginVerdict judge_hello(const ClientPolicy& policy, const Arguments& arguments, bool was_logged_in) {
    LoginVerdict verdict;
    verdict.is_logged_in = was_logged_in;
    Arguments words{"HELLO"};
    std::string_view refusal;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (i == 0 || !equals_ignoring_case(arguments[i], "auth")) {
            words.push_back(arguments[i]);
            continue;
        }
        if (i + 2 >= arguments.size()) {
            words.push_back(arguments[i]);  // the server calls it a syntax error, without what follows
            break;
        }
        const auto answer = answer_to(policy, arguments[i + 1], arguments[i + 2]);
        if (answer == kOk) {
            verdict.is_logged_in = true;
        } else {
            refusal = answer;
        }
        i += 2;
    }
    const bool is_version = arguments.empty() || arguments[0] == "2" || arguments[0] == "3";
    if (!is_version) {
        verdict.is_logged_in = was_logged_in;  // the server looks at the version first
        if (!was_logged_in) verdict.answer = kNoVersion;
    } else if (!refusal.empty()) {
        verdict.is_logged_in = was_logged_in;
        verdict.answer = refusal;
    } else if (!verdict.is_logged_in) {
        verdict.answer = kHelloNoAuth;
    }
    if (verdict.answer.empty()) append_command(verdict.forward, words);
    return verdict;
}

}  // namespace cvp::proxy
