#include "proxy/relay.hpp"

#include <algorithm>
#include <utility>

#include "common/log/log.hpp"
#include "common/random.hpp"

namespace cvp::proxy {

namespace {

constexpr std::size_t kNonceDigits = 16;
constexpr std::string_view kFull = "-ERR max number of clients reached\r\n";

}  // namespace

Relay::Relay(EventLoop& loop, Host& host, std::unique_ptr<Channel> client)
    : loop_(loop),
      host_(host),
      client_(std::move(client)),
      session_(SteadyClock::now()),
      conversation_(static_cast<Conversation::Wire&>(*this), host.client_policy(),
                    !host.stats().latency_by_command.empty()),
      timer_(loop.timers(), *this) {
    if (host.client_policy().asks_for_login()) gate_ = std::make_unique<ClientGate>(host.client_policy());
    client_->set_owner(client_side_);
    client_->set_reading(session_.client_window(0));
}

Relay::~Relay() = default;

void Relay::start() {
    ++host_.stats().clients_open;
}

void Relay::start_full() {
    ++host_.stats().clients_open;
    is_full_ = true;
    apply(session_.refuse({}));
}

void Relay::abort() {
    apply(session_.on_client_broken());
}

void Relay::end_if_quiet() {
    const bool is_owed = conversation_.is_opaque() ? !has_server_spoken_last_ : !conversation_.is_idle();
    const bool is_waiting = session_.state() == Session::State::holding || is_owed || !held_.empty() ||
                            client_->pending() > 0 || (upstream_ && upstream_->pending() > 0);
    if (std::exchange(is_quiet_, true) && !is_waiting) abort();
}

void Relay::on_client_bytes(std::string_view bytes) {
    host_.stats().bytes_from_clients += bytes.size();
    is_quiet_ = has_server_spoken_last_ = false;
    switch (session_.state()) {
        case Session::State::relaying: {
            const auto now = SteadyClock::now();
            converse(bytes, now);
            return follow_up(now);
        }
        case Session::State::silent:
            return gate_ ? admit(bytes) : first_bytes(bytes);
        case Session::State::holding:
            held_.append(bytes);
            return update_windows();
        case Session::State::ending:
        case Session::State::over:
            return;
    }
}

void Relay::admit(std::string_view bytes) {
    auto answer = gate_->on_bytes(bytes);
    client_->write(answer.text);
    if (answer.is_over) return apply(session_.end_politely());
    if (!answer.is_open) return update_windows();
    gate_.reset();
    if (!answer.onward.empty()) first_bytes(answer.onward);
}

void Relay::first_bytes(std::string_view bytes) {
    if (auto verdict = host_.verdict()) return apply(session_.refuse(*std::move(verdict)));
    held_.append(bytes);
    apply(session_.on_first_bytes(SteadyClock::now(), host_.connect_hold()));
}

Session::ClientEnd Relay::meaning_of_end() const {
    using enum Session::ClientEnd;
    if (conversation_.must_hear_of_end()) return tell;
    if (!conversation_.is_idle() || !held_.empty()) return owed;
    return conversation_.is_silent() ? tell : nothing;
}

/// The client has gone, and nobody owes anybody anything.
bool Relay::is_over() const {
    return session_.has_client_ended() && meaning_of_end() == Session::ClientEnd::nothing;
}

void Relay::on_client_eof() {
    apply(session_.on_client_eof(SteadyClock::now(), meaning_of_end()));
    if (session_.state() == Session::State::ending) on_client_sent();
}

/// It is gone, and the server might act for it: what it sent and nobody took is of no more use, unless it wanted no
/// answers anyway.
void Relay::on_client_unread_end() {
    const bool is_of_use = !conversation_.must_hear_of_end() || conversation_.is_silent();
    if (session_.state() == Session::State::relaying && !is_of_use) abort();
}

void Relay::on_client_sent() {
    apply(session_.on_client_sent(SteadyClock::now(), client_->pending(), client_->is_finished()));
}

void Relay::on_upstream_bytes(std::string_view bytes) {
    is_quiet_ = false;
    has_server_spoken_last_ = true;
    const auto now = SteadyClock::now();
    conversation_.on_server_bytes(bytes, now);
    if (session_.has_client_ended()) session_.on_upstream_bytes(now);
    follow_up(now);
}

/// A client whose state can be repeated elsewhere, and who waits for nothing, need not notice.
void Relay::on_upstream_end() {
    if (move_ && move_->has_marker()) return;  // all that it had to say was said
    const bool can_resume = conversation_.can_resume() && conversation_.state().subscriptions.empty() && held_.empty();
    if (!can_resume && session_.state() == Session::State::relaying && !session_.has_client_ended()) count_cut();
    apply(
        session_.on_upstream_end(SteadyClock::now(), can_resume ? host_.connect_hold() : std::chrono::milliseconds()));
}

void Relay::count_cut() {
    auto why = conversation_.cannot_move_because();
    if (why == "quit") return;  // it asked for it
    if (why.empty()) why = conversation_.state().subscriptions.empty() ? "in_flight" : "subscribed";
    ++host_.stats().clients_cut[why == "busy" ? "in_flight" : why];
}

void Relay::on_time(SteadyClock::time_point now) {
    if (claim_ && now >= claim_until_) claim_.reset();  // the server is busy: others need not wait for it
    apply(session_.on_time(now, client_->pending() + (upstream_ ? upstream_->pending() : 0)));
    if (session_.state() != Session::State::over) seek_renewal(now);
}

void Relay::apply(Do what) {
    if ((what & Do::report_vain_hold) && session_.is_resuming()) ++host_.stats().clients_cut["unreachable"];
    if ((what & Do::report_vain_hold) && way_) way_->report_vain_hold(session_.error());
    if (what & Do::drop_upstream) drop_upstream();
    if (what & Do::dial) dial();
    if (what & Do::send_held) send_held();
    if (what & Do::finish_upstream) upstream_->finish();
    if (what & Do::answer) answer();
    if (what & Do::finish_client) {
        client_->finish();
        on_client_sent();
    }
    if (what & Do::close) return close();
    if (session_.state() == Session::State::over) return;
    set_timer(SteadyClock::now());
    update_windows();
}

void Relay::dial() {
    way_ = host_.upstream();
    if (!way_) {  // the destination became a local error while the client was held
        return apply(session_.on_dial_failed(SteadyClock::now(), *host_.verdict()));
    }
    approach_ = std::make_unique<Approach>(loop_, static_cast<Approach::Owner&>(*this), way_, conversation_.state());
    auto begun = approach_->start();
    if (begun && !*begun) return;
    loop_.dispose(std::move(approach_));
    if (!begun) return apply(session_.on_dial_failed(SteadyClock::now(), std::move(begun).error()));
    on_arrived(**std::move(begun));
}

void Relay::on_arrived(LoggedIn connection) {
    if (approach_) loop_.dispose(std::move(approach_));
    if (session_.is_resuming()) ++host_.stats().resumes;
    take_over(std::move(connection), way_);
    apply(session_.on_dialled(SteadyClock::now()));
}

void Relay::on_approach_failed(LocalError error) {
    loop_.dispose(std::move(approach_));
    apply(session_.on_dial_failed(SteadyClock::now(), std::move(error)));
}

/// As it would see directly: of the next connection it does not count on scripts.
void Relay::on_script_unknown() {
    loop_.dispose(std::move(approach_));
    end_for_scripts();
}

void Relay::end_for_scripts() {
    ++host_.stats().clients_cut["scripts"];
    apply(session_.end_politely());
}

/// Sends what was held while there was no server, or while the conversation paused.
void Relay::send_held() {
    conversation_.resume();
    const auto now = SteadyClock::now();
    while (!held_.empty() && !conversation_.is_paused()) {
        const auto part = held_.front();
        const auto taken = conversation_.on_client_bytes(part, now);
        held_.consume(taken);
        if (taken < part.size()) break;
    }
    if (session_.has_client_ended() && meaning_of_end() == Session::ClientEnd::tell) upstream_->finish();
    follow_up(now);
}

void Relay::drop_upstream() {
    const bool can_abandon = is_over();
    held_.clear();
    end_move();
    claim_.reset();
    if (approach_) loop_.dispose(std::move(approach_));
    if (!upstream_) return;
    --host_.stats().upstream_open;
    if (can_abandon) upstream_->abandon();
    loop_.dispose(std::move(upstream_));
}

void Relay::answer() {
    held_.clear();
    if (is_full_) return client_->write(kFull);
    ++host_.stats().local_errors[static_cast<std::size_t>(session_.error().cause)];
    client_->write(render(session_.error(), host_.connection()));
}

void Relay::close() {
    drop_upstream();
    timer_.stop();
    client_->close();
    --host_.stats().clients_open;
    host_.on_ended(*this);
}

void Relay::update_windows() {
    client_->set_reading(session_.client_window(held_.size() + (upstream_ ? upstream_->pending() : 0)));
    if (upstream_) upstream_->set_reading(session_.wants_upstream(client_->pending()) ? Scratch::kReadBytes : 0);
}

void Relay::converse(std::string_view bytes, SteadyClock::time_point now) {
    if (held_.empty()) {  // what pauses still takes the rest of the command that it is in
        bytes.remove_prefix(conversation_.on_client_bytes(bytes, now));
    }
    held_.append(bytes);
}

void Relay::to_client(std::string_view bytes) {
    host_.stats().bytes_to_clients += bytes.size();
    client_->write(bytes);
}

void Relay::on_command(const CommandInfo& command) {
    ++host_.stats().commands[command.index];
}

void Relay::on_replies(std::uint16_t command, std::uint32_t count, SteadyClock::duration took) {
    auto& stats = host_.stats();
    const auto seconds = std::chrono::duration<double>(took).count();
    stats.latency.observe(seconds, count);
    if (!stats.latency_by_command.empty()) stats.latency_by_command[command].observe(seconds, count);
}

void Relay::on_server_error(std::string_view head) {
    const auto error = classify_server_error(head);
    ++host_.stats().server_errors[static_cast<std::size_t>(error)];
    if (error == ServerError::readonly) host_.on_demoted();
    if (error == ServerError::no_auth || error == ServerError::wrong_pass) is_renewal_wanted_ = true;
}

std::optional<Conversation::Login> Relay::login_after_reset() {
    if (!way_->has_login()) return std::nullopt;
    Conversation::Login login;
    if (auto command = way_->login_command()) {
        login.command = *std::move(command);
    } else {
        news_.lost = true;  // nothing to log in with: the client would go on as nobody
    }
    login.nonce = random_hex(kNonceDigits);
    return login;
}

void Relay::on_lost(std::string_view why) {
    news_.lost = true;
    ++host_.stats().lost;
    log::warn("a client's connections are closed", {{"connection", host_.connection()}, {"reason", why}});
}

/// Acts on what the conversation told, now that it is at rest.
void Relay::follow_up(SteadyClock::time_point now) {
    const auto news = std::exchange(news_, {});
    if (news.lost) return apply(session_.end_politely());
    if (move_ && news.marker_refused) move_->on_marker_subscribed(*news.marker_refused);
    if (move_ && news.marker) move_->on_marker();
    if (move_) move_->on_progress();
    if (session_.state() == Session::State::over) return;
    seek_renewal(now);
    if (session_.state() == Session::State::relaying && !held_.empty() && !conversation_.is_paused())
        return send_held();
    if (is_over() && session_.state() == Session::State::relaying) {
        return apply(session_.on_idle());
    }
    if (session_.has_client_ended()) set_timer(now);
    update_windows();
}

}  // namespace cvp::proxy
