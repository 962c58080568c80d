#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "proxy/resp/request_framer.hpp"
#include "tests/emulator/login_fault.hpp"
#include "tests/emulator/stand_ins.hpp"

namespace cvp::emulator {

/// AUTH, or HELLO with AUTH, outside MULTI, on its way to the server.
struct LoginAttempt {
    std::string_view username;  ///< empty: AUTH with one argument
    std::string_view password;
    bool is_later = false;  ///< the connection had logged in before
};

struct LoginVerdict {
    LoginAnswer answer = LoginAnswer::pass;
    std::chrono::milliseconds delay{0};
    bool logs_in = false;  ///< the server will take it, if it gets it
};

/// Decides about logins. Called once for each, when the whole command has come.
class LoginJudge {
public:
    virtual ~LoginJudge() = default;
    virtual LoginVerdict judge(const LoginAttempt& attempt, SteadyClock::time_point now) = 0;
};

/// The two byte streams of one connection, without I/O: all bytes pass unchanged and in order, but for the logins that
/// a judge refuses, delays or cuts.
///
/// A login is found by the framing of requests alone; once that is broken, everything passes. A delayed login waits,
/// with all that comes behind it from the client; replies go on. What is passed to the server's side is never taken
/// back.
class LoginGate {
public:
    /// @param judge outlives it
    /// @param tag see StandIns
    LoginGate(LoginJudge& judge, const std::string& tag) : judge_(judge), stand_ins_(tag) {}

    /// Only while takes_from_client().
    void take_from_client(std::string_view bytes, SteadyClock::time_point now);
    bool takes_from_client() const { return !held_until_; }
    void take_from_server(std::string_view bytes);
    /// Lets a delayed login go when its time has come.
    void on_time(SteadyClock::time_point now);
    std::optional<SteadyClock::time_point> wakes_at() const { return held_until_; }

    /// Bytes to send; the caller erases what it has sent.
    std::string& to_server() { return to_server_; }
    std::string& to_client() { return to_client_; }
    std::size_t unsent_to_server() const { return to_server_.size(); }
    std::size_t unsent_to_client() const { return to_client_.size(); }

    /// The connection is to be cut once to_client() is sent.
    bool is_cut() const { return is_cut_; }

    /// When the first and the newest login that the server takes went on to it.
    std::optional<SteadyClock::time_point> first_login() const { return first_login_; }
    std::optional<SteadyClock::time_point> last_login() const { return last_login_; }

private:
    void go_on(SteadyClock::time_point now);
    void pass_command(std::string_view bytes, SteadyClock::time_point now);
    std::optional<LoginAttempt> login_of_command() const;
    void let_go(SteadyClock::time_point now);

    LoginJudge& judge_;
    StandIns stand_ins_;
    proxy::RequestFramer framer_;
    std::string input_;  ///< what the framer was fed with
    bool is_in_multi_ = false;
    std::string held_;  ///< a login, or its stand-in, that waits
    bool held_logs_in_ = false;
    std::optional<SteadyClock::time_point> held_until_;
    std::string to_server_;
    std::string to_client_;
    bool is_cut_ = false;
    std::optional<SteadyClock::time_point> first_login_;
    std::optional<SteadyClock::time_point> last_login_;
};

}  // namespace cvp::emulator
