#include <algorithm>
#include <utility>

#include "common/log/log.hpp"
#include "common/random.hpp"
#include "proxy/relay.hpp"

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr SteadyClock::duration kFirstWait = 250ms;
constexpr SteadyClock::duration kLongestWait = 30s;
constexpr SteadyClock::duration kClaimTime = 2s;
constexpr std::size_t kNonceDigits = 16;

}  // namespace

/// The connection is the client's from now on.
void Relay::take_over(LoggedIn connection, std::shared_ptr<Upstream> way) {
    way_ = std::move(way);
    upstream_ = std::move(connection.channel);
    upstream_->set_owner(upstream_side_);
    conversation_.start_over();
    connected_at_ = connection.at;
    ++host_.stats().upstream_open;
    relogin_ = Relogin(way_->age_limits());
    relogin_.on_logged_in(connection.at, random_fraction());
    is_renewal_wanted_ = false;
    is_end_wanted_ = false;
    take_way_of_today();  // a move may have begun before it changed
}

void Relay::follow() {
    if (approach_ && !host_.upstream()->target().leads_to_same(way_->target())) {
        loop_.dispose(std::move(approach_));
        return dial();
    }
    if (session_.state() != Session::State::relaying) return;
    take_way_of_today();
    if (is_renewal_wanted_) renew();
}

/// The host's upstream, whose logins are the newest, where the connection in use can stay with it; else it is to be
/// replaced.
void Relay::take_way_of_today() {
    auto today = host_.upstream();
    const bool is_same = today && (today == way_ || today->target().leads_to_same(way_->target()));
    if (connected_at_ < server_since_ || (today && !is_same)) is_renewal_wanted_ = true;
    if (is_same) way_ = std::move(today);
}

void Relay::leave_server(SteadyClock::time_point since) {
    server_since_ = since;
    if (session_.state() != Session::State::relaying || connected_at_ >= since) return;
    is_renewal_wanted_ = true;
    renew();
}

void Relay::renew() {
    next_move_ = {};
    seek_renewal(SteadyClock::now());
}

void Relay::seek_renewal(SteadyClock::time_point now) {
    if (session_.state() != Session::State::relaying || session_.has_client_ended()) return;
    const bool is_overdue = relogin_.is_overdue(now);
    if (is_end_wanted_) {
        seek_end();
    } else if (is_renewal_wanted_ || is_overdue) {
        begin_move(now);
    }
    if (session_.state() != Session::State::relaying) return;
    if (!relogin_.is_due(now) || conversation_.is_logging_in()) return;
    if (conversation_.can_log_in()) return log_in_again(now);
    if (conversation_.is_subscribed()) begin_move(now);
    if (is_overdue && !move_) note_missed();
}

/// The deadline passed, and neither AUTH nor another connection was possible: the provider ends it when it likes.
void Relay::note_missed() {
    auto why = conversation_.cannot_move_because();
    if (why.empty() || why == "busy") {
        if (!relogin_.was_refused() && move_wait_ == SteadyClock::duration{}) return;
        why = relogin_.was_refused() ? "refused" : "move_failed";
    }
    if (relogin_.note_missed()) ++host_.stats().relogins_missed[why];
}

/// @source data-plane-verified 1.1, 2.3
void Relay::log_in_again(SteadyClock::time_point now) {
    if (!way_->has_login()) return;
    if (!claim_)
        claim_ = std::make_unique<LoginSlots::Claim>(way_->login_slots(), static_cast<LoginSlots::Waiter&>(*this));
    if (!claim_->take()) return;
    auto command = way_->login_command();
    if (!command) {
        claim_.reset();
        relogin_.on_postponed(now);
    } else {
        claim_until_ = now + kClaimTime;
        conversation_.inject_login({*std::move(command), random_hex(kNonceDigits)}, now);
    }
    set_timer(now);
}

void Relay::on_login_turn() {
    const auto now = SteadyClock::now();
    if (relogin_.is_due(now) && !conversation_.is_logging_in() && conversation_.can_log_in()) return log_in_again(now);
    claim_->release();
}

void Relay::on_login_answer(std::string_view line) {
    claim_.reset();
    const auto now = SteadyClock::now();
    if (way_->settle_login(line)) {
        relogin_.on_renewed(now, random_fraction());
    } else {
        relogin_.on_refused(now);
    }
    set_timer(now);
}

void Relay::begin_move(SteadyClock::time_point now) {
    if (move_ || now < next_move_) return;
    const auto why_not = conversation_.cannot_move_because();
    auto way = host_.upstream();
    if (!way || (!why_not.empty() && why_not != "busy")) return;
    move_ = std::make_unique<Move>(loop_, static_cast<Move::Owner&>(*this), std::move(way), conversation_);
    if (!move_->start()) on_move_failed(false);
}

void Relay::end_move() {
    if (move_) loop_.dispose(std::move(move_));
}

void Relay::on_moved(LoggedIn connection, std::string first) {
    auto way = move_->way();
    end_move();
    move_wait_ = {};
    ++host_.stats().moves_ok;
    --host_.stats().upstream_open;
    upstream_->finish();
    loop_.dispose(std::move(upstream_));
    take_over(std::move(connection), std::move(way));
    if (!first.empty()) conversation_.on_server_bytes(first, SteadyClock::now());
    send_held();
    set_timer(SteadyClock::now());
}

void Relay::on_move_failed(bool is_fatal) {
    end_move();
    ++host_.stats().moves_failed;
    if (is_fatal) {
        log::warn("a subscriber is ended: it could not be moved without a gap", {{"connection", host_.connection()}});
        return apply(session_.end_politely());
    }
    conversation_.drop_marker();
    move_wait_ = std::clamp(2 * move_wait_, kFirstWait, kLongestWait);
    next_move_ = SteadyClock::now() + move_wait_;
    send_held();
    set_timer(SteadyClock::now());
}

void Relay::on_move_in_vain() {
    end_move();
    ++host_.stats().moves_failed;
    is_end_wanted_ = true;
    send_held();
}

/// Ends the client where nothing is owed to it.
void Relay::seek_end() {
    const auto why_not = conversation_.cannot_move_because();
    if (why_not == "busy") return conversation_.pause();
    conversation_.resume();
    if (why_not.empty()) end_for_scripts();
}

void Relay::on_marker_subscribed(bool is_refused) {
    news_.marker_refused = is_refused;
}

void Relay::set_timer(SteadyClock::time_point now) {
    auto next = session_.deadline();
    const auto sooner = [&](std::optional<SteadyClock::time_point> at) {
        if (at && (!next || *at < *next)) next = at;
    };
    if (session_.state() == Session::State::relaying) {
        sooner(relogin_.next(now));
        if (claim_) sooner(claim_until_);
        if (!move_ && next_move_ > now) sooner(next_move_);
    }
    timer_.set(next);
}

}  // namespace cvp::proxy
