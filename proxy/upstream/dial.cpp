#include "proxy/upstream/dial.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kAddressShare = 500ms;  ///< for one address while there are others

LocalError explain_tls(const tls::Failure& failure, const std::string& where) {
    const auto sentence = where + ": " + failure.sentence;
    switch (failure.kind) {
        case tls::FailureKind::chain:
            return make_local_error(Cause::tls_chain, sentence);
        case tls::FailureKind::identity:
            return make_local_error(Cause::tls_identity, sentence);
        case tls::FailureKind::version:
            return {Cause::upstream_unreachable, sentence, false};
        case tls::FailureKind::handshake:
        case tls::FailureKind::interrupted:
            break;
    }
    return make_local_error(Cause::upstream_unreachable, sentence);
}

}  // namespace

Dial::Dial(EventLoop& loop, asio::io_context& io, LoginSlots& slots, Owner& owner, const Target& target,
           std::shared_ptr<TlsProfile> tls)
    : loop_(loop),
      io_(io),
      owner_(owner),
      endpoint_(target.endpoint),
      username_(target.username),
      source_(target.login),
      tls_(std::move(tls)),
      timer_(loop.timers(), *this),
      claim_(slots, *this) {}

Dial::~Dial() = default;

void Dial::start(SteadyClock::time_point deadline) {
    deadline_ = deadline;
    timer_.start(deadline_);
    if (auto address = SocketAddress::parse(endpoint_.host, endpoint_.port)) {
        addresses_.push_back(*address);
        connect_next();
    } else {
        resolve();
    }
}

void Dial::retire() {
    is_over_ = true;
    timer_.stop();
    claim_.release();
    if (channel_) channel_->close();
}

void Dial::resolve() {
    resolver_ = std::make_unique<asio::ip::tcp::resolver>(io_);
    resolver_->async_resolve(
        endpoint_.host, std::to_string(endpoint_.port),
        [this, alive = std::weak_ptr<void>(alive_)](const boost::system::error_code& ec,
                                                    const asio::ip::tcp::resolver::results_type& results) {
            if (alive.expired() || is_over_) return;
            if (ec) return fail_connect("the name cannot be resolved: " + ec.message());
            for (const auto& result : results) {
                const auto endpoint = result.endpoint();
                addresses_.emplace_back(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
            }
            connect_next();
        });
}

void Dial::connect_next() {
    std::string reason = "the name has no address";
    Channel::Owner& self = *this;
    while (next_address_ < addresses_.size()) {
        if (channel_) loop_.dispose(std::move(channel_));
        result_.address = addresses_[next_address_++];
        const bool has_others = next_address_ < addresses_.size();
        timer_.start(has_others ? std::min(deadline_, SteadyClock::now() + kAddressShare) : deadline_);
        channel_ = std::make_unique<Channel>(loop_, self);
        const auto begun = channel_->connect(result_.address, tls_);
        if (begun) return;
        reason = begun.error().context;
    }
    fail_connect(reason);
}

/// The owner must not hear of it from within its own call: the timer tells it.
void Dial::fail_connect(std::string reason) {
    result_.error = make_local_error(Cause::upstream_unreachable, where() + ": " + std::move(reason));
    is_over_ = true;
    timer_.start(SteadyClock::now());
}

std::string Dial::where() const {
    const bool is_v6 = endpoint_.host.find(':') != std::string::npos;
    auto text = (is_v6 ? "[" + endpoint_.host + "]" : endpoint_.host) + ":" + std::to_string(endpoint_.port);
    const auto address = result_.address.size() > 0 ? result_.address.text() : std::string();
    return address.empty() || address == text ? text : text + " (" + address + ")";
}

void Dial::on_open() {
    result_.peer = channel_->take_peer();
    result_.stage = DialResult::Stage::login;
    timer_.start(deadline_);
    if (!source_) return end(Login::Outcome::accepted);
    if (claim_.take()) log_in();
}

void Dial::log_in() {
    auto password = source_->password();
    if (!password) {
        result_.error = source_->why_not();
        return end(Login::Outcome::pending);
    }
    sent_password_ = *std::move(password);
    result_.is_login_sent = true;
    const auto command = Login::command(username_, sent_password_);
    channel_->write(command.reveal());
}

void Dial::on_bytes(std::string_view bytes) {
    const auto outcome = login_.feed(bytes);
    if (outcome != Login::Outcome::pending) end(outcome);
}

void Dial::on_eof() {
    on_broken({ChannelFault::Phase::open, "the server closed the connection in the login", std::nullopt});
}

void Dial::on_broken(const ChannelFault& fault) {
    switch (fault.phase) {
        case ChannelFault::Phase::connecting:
            if (next_address_ < addresses_.size()) return connect_next();
            break;
        case ChannelFault::Phase::handshaking:
            result_.stage = DialResult::Stage::handshake;
            break;
        case ChannelFault::Phase::open:
            result_.stage = DialResult::Stage::login;
            break;
    }
    if (fault.tls && fault.phase == ChannelFault::Phase::handshaking) {
        result_.tls_failure = fault.tls->kind;
        result_.error = explain_tls(*fault.tls, where());
    } else {
        result_.error = make_local_error(Cause::upstream_unreachable, where() + ": " + fault.reason);
    }
    end(Login::Outcome::pending);
}

void Dial::on_time(SteadyClock::time_point now) {
    if (is_over_) return end(Login::Outcome::pending);
    if (now < deadline_ && next_address_ < addresses_.size()) return connect_next();
    if (channel_ && channel_->is_connected() && result_.stage == DialResult::Stage::connect) {
        result_.stage = DialResult::Stage::handshake;
    }
    result_.error = make_local_error(Cause::upstream_unreachable, where() + ": no answer in time");
    end(Login::Outcome::pending);
}

void Dial::end(Login::Outcome outcome) {
    is_over_ = true;
    timer_.stop();
    claim_.release();
    result_.login = outcome;
    if (outcome == Login::Outcome::accepted) {
        result_.channel = std::move(channel_);
    } else if (channel_) {
        channel_->close();
    }
    if (outcome == Login::Outcome::refused) result_.refused_password = std::move(sent_password_);
    owner_.on_dial_ended(std::move(result_));
}

}  // namespace cvp::proxy
