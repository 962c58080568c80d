#include "proxy/relay.hpp"

#include <utility>

namespace cvp::proxy {

namespace {

constexpr std::string_view kFull = "-ERR max number of clients reached\r\n";

}  // namespace

Relay::Relay(EventLoop& loop, Host& host, Socket client)
    : loop_(loop),
      host_(host),
      client_(loop, client_side_),
      session_(SteadyClock::now()),
      timer_(loop.timers(), *this) {
    client_.set_reading(session_.client_window(0));
    client_.adopt(std::move(client));
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
    close();
}

void Relay::end_if_quiet() {
    const bool is_waiting = session_.state() == Session::State::holding || !has_server_spoken_last_ ||
                            client_.pending() > 0 || (upstream_ && upstream_->pending() > 0);
    if (std::exchange(is_quiet_, true) && !is_waiting) close();
}

void Relay::on_client_bytes(std::string_view bytes) {
    host_.stats().bytes_from_clients += bytes.size();
    is_quiet_ = has_server_spoken_last_ = false;
    switch (session_.state()) {
        case Session::State::relaying:
            upstream_->write(bytes);
            break;
        case Session::State::silent:
            if (auto verdict = host_.verdict()) return apply(session_.refuse(*std::move(verdict)));
            held_.append(bytes);
            return apply(session_.on_first_bytes(SteadyClock::now(), host_.connect_hold()));
        case Session::State::holding:
            held_.append(bytes);
            break;
        case Session::State::ending:
        case Session::State::over:
            return;
    }
    update_windows();
}

void Relay::on_client_eof() {
    apply(session_.on_client_eof(SteadyClock::now()));
    if (session_.state() == Session::State::ending) on_client_sent();
}

void Relay::on_client_sent() {
    apply(session_.on_client_sent(SteadyClock::now(), client_.pending(), client_.is_finished()));
}

void Relay::on_upstream_bytes(std::string_view bytes) {
    host_.stats().bytes_to_clients += bytes.size();
    is_quiet_ = false;
    has_server_spoken_last_ = true;
    client_.write(bytes);
    if (session_.has_client_ended()) {
        session_.on_upstream_bytes(SteadyClock::now());
        timer_.set(session_.deadline());
    }
    update_windows();
}

void Relay::on_dial_ended(DialResult result) {
    loop_.dispose(std::move(dial_));
    if (auto error = way_->settle(result)) {
        return apply(session_.on_dial_failed(SteadyClock::now(), *std::move(error)));
    }
    upstream_ = std::move(result.channel);
    upstream_->set_owner(upstream_side_);
    ++host_.stats().upstream_open;
    apply(session_.on_dialled(SteadyClock::now()));
}

void Relay::on_time(SteadyClock::time_point now) {
    apply(session_.on_time(now, client_.pending()));
}

void Relay::apply(Do what) {
    if ((what & Do::report_vain_hold) && way_) way_->report_vain_hold(session_.error());
    if (what & Do::drop_upstream) drop_upstream();
    if (what & Do::dial) dial();
    if (what & Do::send_held) send_held();
    if (what & Do::finish_upstream) upstream_->finish();
    if (what & Do::answer) answer();
    if (what & Do::finish_client) {
        client_.finish();
        on_client_sent();
    }
    if (what & Do::close) return close();
    if (session_.state() == Session::State::over) return;
    timer_.set(session_.deadline());
    update_windows();
}

void Relay::dial() {
    way_ = host_.upstream();
    if (!way_) {  // the destination became a local error while the client was held
        return apply(session_.on_dial_failed(SteadyClock::now(), *host_.verdict()));
    }
    auto dialled = way_->dial(*this);
    if (!dialled) return apply(session_.on_dial_failed(SteadyClock::now(), std::move(dialled).error()));
    dial_ = *std::move(dialled);
}

void Relay::send_held() {
    while (!held_.empty()) {
        const auto part = held_.front();
        upstream_->write(part);
        held_.consume(part.size());
    }
}

void Relay::drop_upstream() {
    held_.clear();
    if (dial_) loop_.dispose(std::move(dial_));
    if (!upstream_) return;
    --host_.stats().upstream_open;
    loop_.dispose(std::move(upstream_));
}

void Relay::answer() {
    held_.clear();
    if (is_full_) return client_.write(kFull);
    ++host_.stats().local_errors[static_cast<std::size_t>(session_.error().cause)];
    client_.write(render(session_.error(), host_.connection()));
}

void Relay::close() {
    drop_upstream();
    timer_.stop();
    client_.close();
    --host_.stats().clients_open;
    host_.on_ended(*this);
}

void Relay::update_windows() {
    client_.set_reading(session_.client_window(upstream_ ? upstream_->pending() : held_.size()));
    if (upstream_) upstream_->set_reading(session_.wants_upstream(client_.pending()) ? Scratch::kReadBytes : 0);
}

}  // namespace cvp::proxy
