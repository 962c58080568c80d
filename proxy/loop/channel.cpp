#include "proxy/loop/channel.hpp"

#include <algorithm>
#include <cassert>
#include <system_error>
#include <utility>

namespace cvp::proxy {

namespace {

constexpr std::size_t kAheadBytes = std::size_t{4} * 1024;

}  // namespace

Channel::Channel(EventLoop& loop) : loop_(loop), watch_(loop, *this) {}

Channel::Channel(EventLoop& loop, Owner& owner) : loop_(loop), owner_(&owner), watch_(loop, *this) {}

Channel::~Channel() {
    close();
}

void Channel::adopt(Socket socket) {
    socket_ = std::move(socket);
    state_ = State::open;
    watch_.start(socket_.fd(), reading_ > 0 ? std::uint32_t{EPOLLIN} : 0);
}

void Channel::accept(Socket socket, const TlsServerProfile& tls) {
    socket_ = std::move(socket);
    state_ = State::handshaking;
    reading_ = Scratch::kReadBytes;
    is_server_ = true;
    tls_ = std::make_unique<TlsEngine>(tls);
    watch_.start(socket_.fd(), EPOLLIN);
}

Result<void> Channel::connect(const SocketAddress& address, std::shared_ptr<TlsProfile> tls) {
    auto socket = connect_tcp(address);
    if (!socket) return fail(std::move(socket).error());
    socket_ = *std::move(socket);
    state_ = State::connecting;
    reading_ = Scratch::kReadBytes;
    if (tls) {
        tls_ = std::make_unique<TlsEngine>(std::move(tls));
        if (auto greeted = greet(); !greeted) return greeted;
    }
    watch_.start(socket_.fd(), state_ == State::connecting ? EPOLLOUT : EPOLLIN);
    return {};
}

/// TLS' first words are made while TCP connects. Where it has by then, as it has to an address of this machine, they
/// go at once, and there is one event less.
Result<void> Channel::greet() {
    loop_.outbox().flush();  // as in on_ready()
    auto& output = loop_.scratch().output;
    output.clear();
    tls_->start(output);
    const auto sent = send(socket_, output);
    if (sent.state == Transfer::State::broken) {  // and the socket does not say so again
        return fail(ErrorCode::unavailable, std::generic_category().message(sent.error));
    }
    if (sent.bytes == output.size()) state_ = State::handshaking;
    pending_.append(std::string_view(output).substr(sent.bytes));
    return {};
}

void Channel::on_ready(std::uint32_t events) {
    // A step of a handshake takes as long as a dozen commands, and somebody waits for what it says.
    const bool is_slow = tls_ && state_ != State::open;
    if (is_slow) loop_.outbox().flush();
    handle(events);
    if (is_slow) loop_.outbox().flush();
}

void Channel::handle(std::uint32_t events) {
    if (state_ == State::connecting) return on_connected();
    if ((events & EPOLLOUT) != 0) {
        flush();
        if (!socket_) return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    if ((reading_ > 0 || ahead_) && !has_peer_ended_) {
        read();
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        owner_->on_hangup();
    } else if (!has_peer_ended_ && !is_unread_end_told_) {
        is_unread_end_told_ = true;
        update_interest();
        owner_->on_unread_end();
    }
}

void Channel::on_connected() {
    if (auto outcome = connect_outcome(socket_); !outcome) return report_broken(std::move(outcome).error().context);
    if (!tls_) {
        state_ = State::open;
        update_interest();
        return owner_->on_open();
    }
    state_ = State::handshaking;
    flush();
}

std::size_t Channel::read_ahead(std::span<char> room) {
    if (state_ != State::open || has_peer_ended_ || is_bulky_ || reading_ < kAheadBytes || room.size() < kAheadBytes)
        return 0;
    ahead_ = Ahead{receive(socket_, room.data(), kAheadBytes), room.data()};
    return ahead_->outcome.bytes;
}

void Channel::read() {
    auto& input = loop_.scratch().input;
    const auto ahead = std::exchange(ahead_, std::nullopt);
    const auto got = ahead ? ahead->outcome : receive(socket_, input.data(), std::min(reading_, input.size()));
    is_bulky_ = got.bytes >= kAheadBytes;
    switch (got.state) {
        case Transfer::State::moved:
            return take({ahead ? ahead->bytes : input.data(), got.bytes});
        case Transfer::State::blocked:
            return;
        case Transfer::State::ended:
            if (state_ == State::handshaking) {
                return report_broken(is_server_ ? "the client went away in the handshake"
                                                : "the server closed the connection in the handshake");
            }
            has_peer_ended_ = true;
            owner_->on_eof();
            return update_interest();
        case Transfer::State::broken:
            return report_broken(std::generic_category().message(got.error));
    }
}

void Channel::take(std::string_view bytes) {
    if (!tls_) return owner_->on_bytes(bytes);

    auto& scratch = loop_.scratch();
    scratch.output.clear();
    const auto plain = tls_->receive(bytes, scratch.plain.data(), scratch.plain.size(), scratch.output);
    if (!scratch.output.empty()) put(scratch.output);
    if (state_ == State::handshaking && tls_->state() != TlsEngine::State::handshaking) {
        if (tls_->state() == TlsEngine::State::failed) return report_broken(tls_->failure().sentence);
        state_ = State::open;
        update_interest();
        owner_->on_open();
        if (!socket_) return;
    }
    update_interest();
    if (plain > 0) owner_->on_bytes({scratch.plain.data(), plain});
    if (!socket_) return;
    if (tls_->state() == TlsEngine::State::failed) return report_broken(tls_->failure().sentence);
    if (tls_->state() == TlsEngine::State::ended && !has_peer_ended_) {
        has_peer_ended_ = true;
        update_interest();
        owner_->on_eof();
    }
}

void Channel::write(std::string_view bytes) {
    assert(state_ == State::open);
    if (!socket_ || is_write_broken_ || is_finishing_ || bytes.empty()) return;
    if (tls_) {
        auto& output = loop_.scratch().output;
        output.clear();
        tls_->send(bytes, output);
        put(output);
    } else {
        put(bytes);
    }
}

void Channel::put(std::string_view bytes) {
    if (pending_.empty() && loop_.outbox().take(*this, bytes)) {
        is_deferred_ = true;
        return;
    }
    send_deferred();
    send_now(bytes);
}

void Channel::send_deferred() {
    if (is_deferred_) loop_.outbox().flush();
}

void Channel::send_now(std::string_view bytes) {
    is_deferred_ = false;
    if (is_write_broken_) return;
    if (pending_.empty()) {
        const auto sent = send(socket_, bytes);
        if (sent.state == Transfer::State::broken)
            is_write_broken_ = true;  // epoll reports the end, after the last words
        bytes.remove_prefix(is_write_broken_ ? bytes.size() : sent.bytes);
    }
    if (bytes.empty()) return;
    pending_.append(bytes);
    update_interest();
}

void Channel::flush() {
    if (pending_.empty()) return update_interest();
    const auto sent = send(socket_, pending_);
    if (sent.state == Transfer::State::broken) {
        is_write_broken_ = true;
        pending_.clear();
    }
    shut_if_drained();
    update_interest();
    owner_->on_sent();
}

void Channel::finish() {
    if (!socket_ || is_finishing_) return;
    is_finishing_ = true;
    if (tls_ && state_ == State::open && !is_write_broken_) {
        auto& output = loop_.scratch().output;
        output.clear();
        tls_->finish(output);
        put(output);
    }
    send_deferred();
    shut_if_drained();
    if (!has_peer_ended_) update_interest();
}

void Channel::shut_if_drained() {
    if (!is_finishing_ || is_finished_ || !pending_.empty()) return;
    if (!has_peer_ended_) ::shutdown(socket_.fd(), SHUT_WR);
    is_finished_ = true;
}

void Channel::set_reading(std::size_t bytes) {
    reading_ = bytes;
    update_interest();
}

void Channel::update_interest() {
    if (!socket_ || state_ == State::connecting) return;
    std::uint32_t events = 0;
    if (reading_ > 0 && !has_peer_ended_) events |= EPOLLIN;
    if (reading_ == 0 && !has_peer_ended_ && !is_unread_end_told_) events |= EPOLLRDHUP;
    if (!pending_.empty()) events |= EPOLLOUT;
    watch_.want(events);
}

void Channel::report_broken(std::string reason) {
    ChannelFault fault;
    fault.reason = std::move(reason);
    switch (state_) {
        case State::connecting:
            fault.phase = ChannelFault::Phase::connecting;
            break;
        case State::handshaking:
            fault.phase = ChannelFault::Phase::handshaking;
            break;
        case State::open:
            fault.phase = ChannelFault::Phase::open;
            break;
    }
    if (tls_ && tls_->state() == TlsEngine::State::failed) fault.tls = tls_->failure();
    owner_->on_broken(fault);
}

void Channel::close() {
    send_deferred();
    ahead_.reset();
    watch_.stop();
    socket_.close();
    pending_.clear();
}

void Channel::abandon() {
    send_deferred();
    if (tls_ && pending_.empty()) reset_on_close(socket_);
    close();
}

std::optional<tls::VerifiedPeer> Channel::take_peer() {
    if (!tls_) return std::nullopt;
    return tls_->take_peer();
}

}  // namespace cvp::proxy
