#include "proxy/tls_greeting.hpp"

#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;

}  // namespace

TlsGreeting::TlsGreeting(EventLoop& loop, Host& host, Socket client, const TlsServerProfile& tls, bool is_surplus)
    : host_(host),
      timer_(loop.timers(), *this),
      channel_(std::make_unique<Channel>(loop, static_cast<Channel::Owner&>(*this))),
      is_surplus_(is_surplus) {
    channel_->accept(std::move(client), tls);
    timer_.start(SteadyClock::now() + kPatience);
}

TlsGreeting::~TlsGreeting() = default;

void TlsGreeting::retire() {
    timer_.stop();
    if (channel_) channel_->close();
}

void TlsGreeting::on_open() {
    timer_.stop();
    host_.on_greeted(*this, std::move(channel_));
}

void TlsGreeting::on_broken(const ChannelFault& fault) {
    timer_.stop();
    host_.on_greeting_failed(*this, fault.tls ? *fault.tls : tls::Failure{tls::FailureKind::interrupted, fault.reason});
}

void TlsGreeting::on_time(SteadyClock::time_point) {
    host_.on_greeting_failed(*this, {tls::FailureKind::interrupted, "the client did no TLS handshake in 10 s"});
}

}  // namespace cvp::proxy
