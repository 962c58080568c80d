#include "proxy/upstream/upstream.hpp"

#include <utility>

#include "common/log/log.hpp"
#include "common/random.hpp"

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kDialDeadline = 5s;
constexpr auto kLeastLife = 1s;  ///< of a spare: a server that ends them sooner is not asked without end

}  // namespace

Result<std::shared_ptr<Upstream>> Upstream::make(EventLoop& loop, asio::io_context& io, LoginSlots& slots,
                                                 std::string connection, Target target, PortStats& stats) {
    std::shared_ptr<TlsProfile> tls;
    if (target.tls) {
        auto made = TlsProfile::make(*target.tls, target.endpoint.host);
        if (!made) return fail(std::move(made).error());
        tls = *std::move(made);
    }
    return std::shared_ptr<Upstream>(
        new Upstream(loop, io, slots, std::move(connection), std::move(target), std::move(tls), stats));
}

Upstream::Upstream(EventLoop& loop, asio::io_context& io, LoginSlots& slots, std::string connection, Target target,
                   std::shared_ptr<TlsProfile> tls, PortStats& stats)
    : loop_(loop),
      io_(io),
      slots_(slots),
      connection_(std::move(connection)),
      target_(std::move(target)),
      tls_(std::move(tls)),
      stats_(stats),
      health_(SteadyClock::now()),
      spare_policy_(target_.spares),
      spares_(loop, static_cast<Spares::Owner&>(*this)),
      timer_(loop.timers(), *this) {}

Upstream::~Upstream() = default;

void Upstream::start() {
    is_started_ = true;
    schedule_proof();
}

void Upstream::stop() {
    is_started_ = false;
    timer_.stop();
    if (proof_) loop_.dispose(std::move(proof_));
    spares_.clear();
    state_.spares = 0;
}

std::optional<LoggedIn> Upstream::take_spare() {
    auto spare = spares_.take();
    if (!spare && is_started_) spare_policy_.on_wait(SteadyClock::now());
    state_.spares = spares_.size();
    schedule_proof();
    return spare;
}

tl::expected<std::unique_ptr<Dial>, LocalError> Upstream::dial(Dial::Owner& owner) {
    const auto now = SteadyClock::now();
    if (auto refusal = why_no_login(now)) {
        note_failure(*refusal);
        return tl::unexpected(*std::move(refusal));
    }
    ++stats_.dials_total;
    auto dial = std::make_unique<Dial>(loop_, io_, slots_, owner, target_, tls_);
    dial->start(now + kDialDeadline);
    return dial;
}

std::optional<LocalError> Upstream::why_no_login(SteadyClock::time_point now) {
    if (!target_.login) return std::nullopt;
    const auto password = target_.login->password();
    if (!password) return target_.login->why_not();
    if (!pacer_.may_try(*password, now)) return last_login_error_;
    return std::nullopt;
}

std::optional<Secret> Upstream::login_command() {
    const auto now = SteadyClock::now();
    if (!target_.login || why_no_login(now)) return std::nullopt;
    auto password = *target_.login->password();
    if (!relogin_pacer_.may_try(password, now)) return std::nullopt;
    relogin_password_ = std::move(password);
    return Login::command(target_.username, relogin_password_);
}

bool Upstream::settle_login(std::string_view line) {
    const auto outcome = line.empty() ? Login::Outcome::refused : Login().feed(std::string(line) + "\r\n");
    if (outcome == Login::Outcome::accepted) {
        ++stats_.relogins_ok;
        pacer_.on_accepted();
        relogin_pacer_.on_accepted();
        return true;
    }
    ++stats_.relogins_refused;
    pace(relogin_pacer_, outcome, relogin_password_, SteadyClock::now());
    return false;
}

std::optional<LocalError> Upstream::settle(const DialResult& result) {
    const auto now = SteadyClock::now();
    count(result);
    if (result.is_login_sent) pacer_.on_sent(now);
    if (result.channel) {
        note_success(result, now);
        return std::nullopt;
    }
    auto error = result.error;
    if (result.login != Login::Outcome::pending) {
        error = Login::explain(result.login, pacer_.in_grace(now));
        last_login_error_ = error;
        pace(pacer_, result.login, result.refused_password, now);
    }
    note_failure(error);
    return error;
}

void Upstream::pace(LoginPacer& pacer, Login::Outcome outcome, const Secret& refused, SteadyClock::time_point now) {
    switch (outcome) {
        case Login::Outcome::refused:
            pacer.on_refused(refused, now);
            return target_.login->refused();
        case Login::Outcome::misfit:
        case Login::Outcome::throttled:
            return pacer.on_refused(std::nullopt, now);
        case Login::Outcome::pending:
        case Login::Outcome::accepted:
        case Login::Outcome::unavailable:
        case Login::Outcome::nonsense:
            return;
    }
}

void Upstream::count(const DialResult& result) {
    if (result.stage == DialResult::Stage::connect) {
        ++stats_.dials_failed;
        return;
    }
    if (result.stage == DialResult::Stage::handshake) {
        if (result.tls_failure == tls::FailureKind::chain) {
            ++stats_.handshakes_chain;
        } else if (result.tls_failure == tls::FailureKind::identity) {
            ++stats_.handshakes_identity;
        } else {
            ++stats_.handshakes_failed;
        }
        return;
    }
    if (result.peer) {
        ++stats_.handshakes_ok;
        if (result.peer->resumed) ++stats_.handshakes_resumed;
    }
    if (!result.is_login_sent) return;
    switch (result.login) {
        case Login::Outcome::accepted:
            ++stats_.logins_ok;
            return;
        case Login::Outcome::refused:
        case Login::Outcome::misfit:
            ++stats_.logins_refused;
            return;
        case Login::Outcome::throttled:
            ++stats_.logins_throttled;
            return;
        case Login::Outcome::pending:
        case Login::Outcome::unavailable:
        case Login::Outcome::nonsense:
            ++stats_.logins_failed;
            return;
    }
}

void Upstream::note_success(const DialResult& result, SteadyClock::time_point now) {
    pacer_.on_accepted();
    health_.on_success(now);
    if (is_failing_ || !state_.last_success) {
        log::info("the upstream is reached", {{"connection", connection_},
                                              {"address", result.address.text()},
                                              {"tls", result.peer ? result.peer->to_string() : "off"}});
    }
    is_failing_ = false;
    state_.cooling_down = false;
    state_.last_success = now;
    state_.last_success_at = SystemClock::now();
    state_.peer = result.address.text();
    if (result.peer) {
        state_.tls_version = result.peer->tls_version;
        state_.verified_identity = result.peer->identity;
    }
    schedule_proof();
}

void Upstream::note_failure(const LocalError& error) {
    health_.on_failure(error);
    if (!is_failing_ || state_.last_error->cause != error.cause) {
        log::warn("the upstream cannot be used",
                  {{"connection", connection_}, {"cause", to_string(error.cause)}, {"reason", error.sentence}});
    }
    is_failing_ = true;
    state_.last_error = error;
    state_.last_error_at = SystemClock::now();
}

void Upstream::report_vain_hold(const LocalError& error) {
    health_.on_vain_hold(error, SteadyClock::now());
    note_failure(error);
    state_.cooling_down = true;
    schedule_proof();
}

void Upstream::renew_spares() {
    spares_.clear();
    state_.spares = 0;
    schedule_proof();
}

/// A spare that is short is made at once, unless the last try failed; without spares it is proofs that are due.
void Upstream::schedule_proof() {
    if (!is_started_ || proof_) return;
    const auto now = SteadyClock::now();
    auto next = health_.next_proof();
    if (!health_.is_failing() && target_.spares > 0) {
        const bool is_short = spares_.fresh(now) < spare_policy_.wanted(now);
        next = is_short ? now : spares_.next_expiry(now).value_or(next);
    }
    timer_.set(next);
}

void Upstream::on_spare_lost(SteadyClock::time_point at) {
    const auto now = SteadyClock::now();
    state_.spares = spares_.size();
    if (now - at < kLeastLife) health_.on_proof_failed(now);
    schedule_proof();
}

void Upstream::on_time(SteadyClock::time_point now) {
    auto dialled = dial(*this);
    if (dialled) {
        proof_ = *std::move(dialled);
    } else {
        health_.on_proof_failed(now);
        schedule_proof();
    }
}

void Upstream::on_dial_ended(DialResult result) {
    const auto now = SteadyClock::now();
    loop_.dispose(std::move(proof_));
    if (settle(result)) health_.on_proof_failed(now);
    if (result.channel && spares_.fresh(now) < spare_policy_.wanted(now)) {
        spares_.drop_expired(now);
        spares_.add({std::move(result.channel), now}, now + SparePolicy::life(random_fraction()));
        state_.spares = spares_.size();
    } else if (result.channel) {
        result.channel->finish();
        loop_.dispose(std::move(result.channel));
    }
    schedule_proof();
}

}  // namespace cvp::proxy
