#include "proxy/move.hpp"

#include <utility>

#include "common/random.hpp"

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;  ///< for a clean point
constexpr std::size_t kKeptLimit = std::size_t{256} * 1024;
constexpr std::size_t kMarkerDigits = 32;

}  // namespace

Move::Move(EventLoop& loop, Owner& owner, std::shared_ptr<Upstream> way, Conversation& conversation)
    : loop_(loop), owner_(owner), way_(std::move(way)), conversation_(conversation), timer_(loop.timers(), *this) {}

bool Move::start() {
    reached_ = conversation_.state();
    const bool is_subscriber = !reached_.subscriptions.empty();
    approach_ = std::make_unique<Approach>(loop_, static_cast<Approach::Owner&>(*this), way_,
                                           is_subscriber ? ClientState() : reached_);
    auto begun = approach_->start();
    if (!begun) return false;
    timer_.start(SteadyClock::now() + kPatience);
    if (*begun) on_arrived(**std::move(begun));
    return true;
}

void Move::retire() {
    phase_ = Phase::over;
    timer_.stop();
    if (approach_) loop_.dispose(std::move(approach_));
    if (connection_.channel) loop_.dispose(std::move(connection_.channel));
}

void Move::on_arrived(LoggedIn connection) {
    loop_.dispose(std::move(approach_));
    connection_ = std::move(connection);
    connection_.channel->set_owner(*this);
    connection_.channel->set_reading(Scratch::kReadBytes);
    if (!reached_.subscriptions.empty()) return subscribe();
    phase_ = Phase::ready;
    on_progress();
}

void Move::subscribe() {
    phase_ = Phase::subscribing;
    subscriber_.emplace(reached_, "cvp:" + random_hex(kMarkerDigits));
    connection_.channel->write(subscriber_->begin());
}

void Move::on_progress() {
    if (phase_ != Phase::ready && phase_ != Phase::waiting) return;
    const auto why_not = conversation_.cannot_move_because();
    if (why_not == "busy") return conversation_.pause();
    if (!why_not.empty()) return conversation_.resume();
    if (conversation_.is_logging_in()) return;
    if (conversation_.state() == reached_) {
        if (phase_ == Phase::ready) return hand_over({});
        conversation_.pause();
        phase_ = Phase::marking;
        timer_.stop();  // a slow reader delays the marker; a server that is dead is found by TCP
        return conversation_.inject_marker(subscriber_->marker(), SteadyClock::now());
    }
    // The client changed its state meanwhile.
    if (phase_ == Phase::waiting || !conversation_.state().subscriptions.empty()) return fail();
    conversation_.pause();
    phase_ = Phase::approaching;
    reached_ = conversation_.state();
    approach_ = std::make_unique<Approach>(loop_, static_cast<Approach::Owner&>(*this), way_, reached_);
    approach_->start_on(std::move(connection_));
}

void Move::on_bytes(std::string_view bytes) {
    if (!subscriber_) return fail();  // nothing was asked
    switch (subscriber_->on_bytes(bytes)) {
        case SubscriberMove::Step::pending:
            break;
        case SubscriberMove::Step::refused:
            return fail();
        case SubscriberMove::Step::subscribed:
            if (phase_ != Phase::subscribing) break;
            phase_ = Phase::waiting;
            return on_progress();
        case SubscriberMove::Step::arrived:
            has_arrived_ = true;
            if (has_marker_) return cross();
            break;
    }
    if (subscriber_->kept() > kKeptLimit) connection_.channel->set_reading(0);
}

void Move::on_marker_subscribed(bool is_refused) {
    if (phase_ != Phase::marking) return;
    if (is_refused) {
        phase_ = Phase::waiting;
        return fail();
    }
    phase_ = Phase::crossing;
    connection_.channel->write(subscriber_->publish());
}

void Move::on_marker() {
    has_marker_ = true;
    if (has_arrived_) cross();
}

void Move::cross() {
    hand_over(subscriber_->take_kept());
}

void Move::hand_over(std::string first) {
    phase_ = Phase::over;
    timer_.stop();
    owner_.on_moved(std::move(connection_), std::move(first));
}

void Move::on_script_unknown() {
    phase_ = Phase::over;
    owner_.on_move_in_vain();
}

void Move::fail() {
    const bool is_fatal = phase_ == Phase::marking || phase_ == Phase::crossing;
    if (phase_ == Phase::over) return;
    phase_ = Phase::over;
    owner_.on_move_failed(is_fatal);
}

}  // namespace cvp::proxy
