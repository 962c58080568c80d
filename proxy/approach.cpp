#include "proxy/approach.hpp"

#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kReplayDeadline = 5s;

}  // namespace

Approach::Approach(EventLoop& loop, Owner& owner, std::shared_ptr<Upstream> way, const ClientState& state)
    : loop_(loop), owner_(owner), way_(std::move(way)), replay_(state), timer_(loop.timers(), *this) {}

tl::expected<std::optional<LoggedIn>, LocalError> Approach::start() {
    if (auto spare = way_->take_spare()) {
        if (!replay_.is_needed()) return spare;
        start_on(*std::move(spare));
        return std::nullopt;
    }
    auto dialled = way_->dial(static_cast<Dial::Owner&>(*this));
    if (!dialled) return tl::unexpected(std::move(dialled).error());
    dial_ = *std::move(dialled);
    return std::nullopt;
}

void Approach::start_on(LoggedIn connection) {
    connection_ = std::move(connection);
    connection_.channel->set_owner(*this);
    replay();
}

void Approach::retire() {
    timer_.stop();
    if (dial_) loop_.dispose(std::move(dial_));
    if (connection_.channel) loop_.dispose(std::move(connection_.channel));
}

void Approach::on_dial_ended(DialResult result) {
    loop_.dispose(std::move(dial_));
    if (auto error = way_->settle(result)) return fail(*std::move(error));
    connection_ = {std::move(result.channel), SteadyClock::now()};
    if (!replay_.is_needed()) return arrive();
    connection_.channel->set_owner(*this);
    replay();
}

void Approach::replay() {
    connection_.channel->set_reading(Scratch::kReadBytes);
    connection_.channel->write(replay_.commands());
    timer_.start(SteadyClock::now() + kReplayDeadline);
}

void Approach::on_bytes(std::string_view bytes) {
    switch (replay_.feed(bytes)) {
        case Replay::Outcome::pending:
            return;
        case Replay::Outcome::done:
            return arrive();
        case Replay::Outcome::refused:
            return fail(make_local_error(Cause::upstream_unreachable,
                                         "a new connection could not be brought to the state of the client's old one"));
        case Replay::Outcome::unknown_script:
            timer_.stop();
            loop_.dispose(std::move(connection_.channel));
            return owner_.on_script_unknown();
    }
}

void Approach::on_eof() {
    fail(make_local_error(Cause::upstream_unreachable, "the server closed the new connection"));
}

void Approach::on_time(SteadyClock::time_point) {
    fail(make_local_error(Cause::upstream_unreachable, "the new connection does not answer"));
}

void Approach::arrive() {
    timer_.stop();
    owner_.on_arrived(std::move(connection_));
}

void Approach::fail(LocalError error) {
    timer_.stop();
    if (connection_.channel) loop_.dispose(std::move(connection_.channel));
    owner_.on_approach_failed(std::move(error));
}

}  // namespace cvp::proxy
