#include "proxy/session/session.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
constexpr SteadyClock::duration kHalfClosedHold = 250ms;
constexpr SteadyClock::duration kLastReplies = 1s;  ///< for the server, after the client's FIN
constexpr SteadyClock::duration kDrain = 1s;        ///< for the client, after our FIN
constexpr SteadyClock::duration kStalled = 60s;     ///< without progress, for the last bytes to a client

/// Between the failure of a dial and the next one.
SteadyClock::duration dial_spacing(int failures) {
    constexpr std::array kSpacing{50ms, 100ms, 200ms, 250ms};
    return kSpacing[static_cast<std::size_t>(std::min<int>(failures, kSpacing.size()) - 1)];
}

/// A refused login is worth holding for although it is permanent: a fresh token may be on its way.
bool is_worth_holding(const LocalError& error) {
    return error.transient || error.cause == Cause::login_refused;
}

}  // namespace

Do Session::on_first_bytes(SteadyClock::time_point now, std::chrono::milliseconds hold) {
    assert(state_ == State::silent);
    return begin_hold(now, hold);
}

Do Session::begin_hold(SteadyClock::time_point now, std::chrono::milliseconds hold) {
    state_ = State::holding;
    is_dialling_ = true;
    failures_ = 0;
    hold_until_ = now + hold;
    deadline_ = hold_until_;
    error_ = make_local_error(Cause::upstream_unreachable, "no connection to the server was made in time");
    return Do::dial;
}

Do Session::refuse(LocalError error) {
    assert(state_ == State::silent);
    return end_with(std::move(error));
}

Do Session::on_client_eof(SteadyClock::time_point now, ClientEnd end) {
    has_client_ended_ = true;
    switch (state_) {
        case State::silent:
            return close();
        case State::holding:
            if (is_resuming_ || !is_served_half_closed(now)) return close();
            deadline_ = std::min(hold_until_, accepted_ + kHalfClosedHold);
            return Do::nothing;
        case State::relaying:
            if (end == ClientEnd::nothing) return end_politely();
            deadline_ = now + kLastReplies;
            return end == ClientEnd::tell ? Do::finish_upstream : Do::nothing;
        case State::ending:  // on_client_sent() closes once our FIN is out
        case State::over:
            break;
    }
    return Do::nothing;
}

Do Session::on_idle() {
    return state_ == State::relaying && has_client_ended_ ? end_politely() : Do::nothing;
}

Do Session::end_politely() {
    const bool has_upstream = state_ == State::relaying || state_ == State::holding;
    state_ = State::ending;
    is_dialling_ = false;
    deadline_.reset();
    return (has_upstream ? Do::drop_upstream : Do::nothing) | Do::finish_client;
}

bool Session::is_served_half_closed(SteadyClock::time_point now) const {
    return failures_ == 0 && now < accepted_ + kHalfClosedHold;
}

Do Session::on_client_broken() {
    return close();
}

Do Session::on_client_sent(SteadyClock::time_point now, std::size_t pending, bool is_finished) {
    if (state_ != State::ending) return Do::nothing;
    if (pending > 0 || !is_finished) {
        deadline_ = now + kStalled;
        return Do::nothing;
    }
    if (has_client_ended_) return close();
    deadline_ = now + kDrain;
    return Do::nothing;
}

Do Session::on_dialled(SteadyClock::time_point now) {
    assert(state_ == State::holding);
    is_dialling_ = false;
    is_resuming_ = false;
    state_ = State::relaying;
    deadline_.reset();
    if (has_client_ended_) deadline_ = now + kLastReplies;
    return Do::send_held;
}

Do Session::on_dial_failed(SteadyClock::time_point now, LocalError error) {
    assert(state_ == State::holding);
    is_dialling_ = false;
    ++failures_;
    if (!is_worth_holding(error)) return give_up(std::move(error));
    if (has_client_ended_) return end_with(std::move(error));
    error_ = std::move(error);
    deadline_ = std::min(hold_until_, now + dial_spacing(failures_));
    return Do::nothing;
}

void Session::on_upstream_bytes(SteadyClock::time_point now) {
    if (state_ == State::relaying && has_client_ended_) deadline_ = now + kLastReplies;
}

Do Session::on_upstream_end(SteadyClock::time_point now, std::chrono::milliseconds hold) {
    if (state_ != State::relaying) return Do::nothing;
    if (hold <= hold.zero() || has_client_ended_) return end_politely();
    is_resuming_ = true;
    return Do::drop_upstream | begin_hold(now, hold);
}

Do Session::on_time(SteadyClock::time_point now, std::size_t pending) {
    if (!deadline_ || now < *deadline_) return Do::nothing;
    deadline_.reset();
    switch (state_) {
        case State::holding:
            if (now >= hold_until_) return give_up(std::move(error_));
            if (has_client_ended_) return Do::drop_upstream | end_with(std::move(error_));
            is_dialling_ = true;
            deadline_ = hold_until_;
            return Do::dial;
        case State::relaying:
            if (pending > 0) {  // somebody is slow to take them, which is no silence of the server's
                deadline_ = now + kLastReplies;
                return Do::nothing;
            }
            return end_politely();
        case State::ending:
            return close();
        case State::silent:
        case State::over:
            break;
    }
    return Do::nothing;
}

Do Session::give_up(LocalError error) {
    if (is_resuming_) {  // it had replies already: it sees what it would see of a server that is gone
        error_ = std::move(error);
        return Do::report_vain_hold | end_politely();
    }
    const auto drop = is_dialling_ ? Do::drop_upstream : Do::nothing;
    return Do::report_vain_hold | drop | end_with(std::move(error));
}

Do Session::end_with(LocalError error) {
    state_ = State::ending;
    is_dialling_ = false;
    deadline_.reset();
    error_ = std::move(error);
    return Do::answer | Do::finish_client;
}

Do Session::close() {
    state_ = State::over;
    deadline_.reset();
    return Do::close;
}

std::size_t Session::client_window(std::size_t unsent) const {
    if (has_client_ended_) return 0;
    switch (state_) {
        case State::holding:
            return unsent < kHeldLimit ? kHeldLimit - unsent : 0;
        case State::relaying:
            return unsent < kUnsentLimit ? kReadBytes : 0;
        case State::silent:
        case State::ending:
            return kReadBytes;
        case State::over:
            break;
    }
    return 0;
}

bool Session::wants_upstream(std::size_t unsent) const {
    return state_ == State::relaying && unsent < kUnsentLimit;
}

}  // namespace cvp::proxy
