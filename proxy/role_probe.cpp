#include "proxy/role_probe.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRole = "*1\r\n$4\r\nROLE\r\n";
constexpr SteadyClock::duration kFirstWait = 250ms;
constexpr SteadyClock::duration kLongestWait = 10s;
constexpr SteadyClock::duration kInterest = 60s;
constexpr SteadyClock::duration kAnswerTime = 5s;

}  // namespace

RoleProbe::RoleProbe(EventLoop& loop, Owner& owner) : loop_(loop), owner_(owner), timer_(loop.timers(), *this) {}

void RoleProbe::ask(std::shared_ptr<Upstream> way) {
    const auto now = SteadyClock::now();
    until_ = now + kInterest;
    if (way_) return;
    way_ = std::move(way);
    timer_.start(std::max(now, not_before_));
}

void RoleProbe::stop() {
    timer_.stop();
    way_.reset();
    end();
}

void RoleProbe::end() {
    if (approach_) loop_.dispose(std::move(approach_));
    if (channel_) loop_.dispose(std::move(channel_));
}

void RoleProbe::on_time(SteadyClock::time_point now) {
    if (approach_ || channel_) return try_later();
    if (now >= until_) return stop();
    dial();
}

void RoleProbe::dial() {
    asked_ = SteadyClock::now();
    timer_.start(asked_ + kAnswerTime);
    way_->renew_spares();
    approach_ = std::make_unique<Approach>(loop_, static_cast<Approach::Owner&>(*this), way_, ClientState());
    auto begun = approach_->start();
    if (!begun) return try_later();
    if (*begun) on_arrived(**std::move(begun));
}

void RoleProbe::on_arrived(LoggedIn connection) {
    loop_.dispose(std::move(approach_));
    channel_ = std::move(connection.channel);
    channel_->set_owner(*this);
    channel_->set_reading(Scratch::kReadBytes);
    answer_.clear();
    channel_->write(kRole);
}

void RoleProbe::on_approach_failed(LocalError) {
    try_later();
}

/// "*3 $6 master …", "*5 $5 slave …", or an error.
void RoleProbe::on_bytes(std::string_view bytes) {
    constexpr std::size_t kEnough = 16;
    answer_.append(bytes.substr(0, kEnough));
    if (answer_.starts_with("-")) return found();
    if (answer_.size() < kEnough) return;
    if (answer_.find("master") != std::string::npos) {
        wait_ = {};
        return found();
    }
    try_later();
}

void RoleProbe::found() {
    const bool is_sure = !answer_.starts_with("-");
    stop();
    not_before_ = SteadyClock::now() + (is_sure ? kFirstWait : kLongestWait);
    owner_.on_primary_found(asked_);
}

void RoleProbe::try_later() {
    end();
    wait_ = std::clamp(2 * wait_, kFirstWait, kLongestWait);
    not_before_ = SteadyClock::now() + wait_;
    timer_.start(not_before_);
}

}  // namespace cvp::proxy
