#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace cvp::emulator {

/// What becomes of a login at the TLS front.
enum class LoginAnswer {
    pass,           ///< the server decides
    wrongpass,      ///< refused, as while a new IAM binding is on its way
    iam_exhausted,  ///< the login backend is over its quota
    iam_other,      ///< the login backend fails
    silence,        ///< refused without any reply, as Valkey 7.2 to 8.1.2 does while other replies are pending
    cut,            ///< accepted, and the connection breaks in the middle of saying so
};

/// Reads "pass", "WRONGPASS", "ERR_IAM_EXHAUSTED", "ERR_IAM_OTHER", "silence", "cut".
/// @errors invalid_argument, listing them
Result<LoginAnswer> parse_login_answer(std::string_view text);
/// The same word.
std::string_view to_string(LoginAnswer answer);

/// The bytes that a client gets in place of the server's answer; for `cut` the part that still comes through.
/// @param is_hello the login came with HELLO
/// @source cloud-apis.md 3: the Valkey page of manage-iam-auth, which prints no full stop after WRONGPASS
std::string_view answer_bytes(LoginAnswer answer, bool is_hello);

/// Which logins of a connection a fault is for.
enum class LoginTurn { any, first, later };

/// What shall go wrong with logins, which, for how many and until when.
struct LoginFault {
    LoginAnswer answer = LoginAnswer::pass;  ///< pass: only delay
    std::chrono::milliseconds delay{0};      ///< how long the login, and all that the client sends behind it, waits
    LoginTurn turn = LoginTurn::any;
    std::optional<int> remaining = std::nullopt;  ///< how many logins are still hit; nullopt: until cleared
    std::optional<SteadyClock::time_point> expiry = std::nullopt;  ///< no longer from then on
};

/// What the faults make of one login.
struct LoginDisturbance {
    LoginAnswer answer = LoginAnswer::pass;
    std::chrono::milliseconds delay{0};
};

/// The login faults of one front, in the order in which they were asked for.
class LoginFaults {
public:
    void add(LoginFault fault) { faults_.push_back(fault); }
    void clear() { faults_.clear(); }

    /// Counts one login against the faults that fit: delays add up, the first answer wins.
    /// @param is_later its connection had logged in before
    LoginDisturbance take(bool is_later, SteadyClock::time_point now);

    const std::vector<LoginFault>& active() const { return faults_; }

private:
    std::vector<LoginFault> faults_;
};

}  // namespace cvp::emulator
