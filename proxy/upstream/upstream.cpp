#include "proxy/upstream/upstream.hpp"

#include <utility>

#include "common/log/log.hpp"

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kDialDeadline = 5s;

}  // namespace

Result<std::shared_ptr<Upstream>> Upstream::make(EventLoop& loop, asio::io_context& io, std::string connection,
                                                 Target target, PortStats& stats) {
    std::shared_ptr<TlsProfile> tls;
    if (target.tls) {
        auto made = TlsProfile::make(*target.tls, target.endpoint.host);
        if (!made) return fail(std::move(made).error());
        tls = *std::move(made);
    }
    return std::shared_ptr<Upstream>(
        new Upstream(loop, io, std::move(connection), std::move(target), std::move(tls), stats));
}

Upstream::Upstream(EventLoop& loop, asio::io_context& io, std::string connection, Target target,
                   std::shared_ptr<TlsProfile> tls, PortStats& stats)
    : loop_(loop),
      io_(io),
      connection_(std::move(connection)),
      target_(std::move(target)),
      tls_(std::move(tls)),
      stats_(stats),
      health_(SteadyClock::now()),
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
}

tl::expected<std::unique_ptr<Dial>, LocalError> Upstream::dial(Dial::Owner& owner) {
    const auto now = SteadyClock::now();
    if (target_.login) {
        const auto password = target_.login->password();
        std::optional<LocalError> refusal;
        if (!password) {
            refusal = target_.login->why_not();
        } else if (!pacer_.may_try(*password, now)) {
            refusal = last_login_error_;
        }
        if (refusal) {
            note_failure(*refusal);
            return tl::unexpected(*std::move(refusal));
        }
    }
    ++stats_.dials_total;
    auto dial = std::make_unique<Dial>(loop_, io_, owner, target_, tls_);
    dial->start(now + kDialDeadline);
    return dial;
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
        pace(result, error, now);
    }
    note_failure(error);
    return error;
}

void Upstream::pace(const DialResult& result, const LocalError& error, SteadyClock::time_point now) {
    switch (result.login) {
        case Login::Outcome::refused:
            pacer_.on_refused(result.refused_password, now);
            last_login_error_ = error;
            return target_.login->refused();
        case Login::Outcome::misfit:
        case Login::Outcome::throttled:
            pacer_.on_refused(std::nullopt, now);
            last_login_error_ = error;
            return;
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

void Upstream::schedule_proof() {
    if (is_started_ && !proof_) timer_.set(health_.next_proof());
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
    loop_.dispose(std::move(proof_));
    if (settle(result)) health_.on_proof_failed(SteadyClock::now());
    if (result.channel) {
        result.channel->finish();
        loop_.dispose(std::move(result.channel));
    }
    schedule_proof();
}

}  // namespace cvp::proxy
