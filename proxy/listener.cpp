#include "proxy/listener.hpp"

#include <utility>

#include "common/log/log.hpp"

namespace cvp::proxy {

namespace {

constexpr std::size_t kRefusedAtOnce = 64;  ///< clients beyond the limit that are told so properly at one time

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, asio::io_context& io, LoginSlots& slots,
                                                 SessionBudget& budget, PortOptions options) {
    std::unique_ptr<Listener> listener(new Listener(loop, io, slots, budget, std::move(options)));
    if (auto bound = listener->bind(); !bound) return fail(std::move(bound).error());
    return listener;
}

Listener::Listener(EventLoop& loop, asio::io_context& io, LoginSlots& slots, SessionBudget& budget, PortOptions options)
    : loop_(loop),
      io_(io),
      slots_(slots),
      budget_(budget),
      options_(std::move(options)),
      role_probe_(loop, static_cast<RoleProbe::Owner&>(*this)) {
    no_upstream_.last_error = make_local_error(Cause::not_resolved, "the instance is not known yet");
    if (options_.latency_by_command) stats_.latency_by_command.assign(kCommands, make_latency_histogram());
}

Result<void> Listener::bind() {
    const auto address = SocketAddress::parse(options_.address, options_.port);
    if (!address) return fail(address.error());
    auto socket = listen_tcp(*address);
    if (!socket) return fail(std::move(socket).error());
    const auto bound = local_address(*socket);
    if (!bound) return fail(bound.error());
    if (options_.unix_socket) {
        auto listener = listen_unix(*options_.unix_socket);
        if (!listener) return fail(std::move(listener).error());
        socket_file_ = std::move(listener->file);
        unix_ = std::make_unique<Acceptor>(loop_, static_cast<Acceptor::Owner&>(*this), std::move(listener->socket));
    }
    port_ = bound->port();
    tcp_ = std::make_unique<Acceptor>(loop_, static_cast<Acceptor::Owner&>(*this), *std::move(socket));
    return {};
}

Listener::~Listener() {
    stop();
    drop_greetings();
    abort_sessions();
}

Result<void> Listener::set_destination(Destination destination) {
    if (auto* target = std::get_if<Target>(&destination.to)) {
        auto made = Upstream::make(loop_, io_, slots_, options_.connection, std::move(*target), stats_);
        if (!made) return fail(std::move(made).error());
        if (upstream_) upstream_->stop();
        upstream_ = *std::move(made);
        if (!is_stopped_) upstream_->start();
        for (auto at = relays_.begin(); at != relays_.end();)
            (*at++)->follow();
    } else {
        if (upstream_) upstream_->stop();
        upstream_.reset();
        no_upstream_.last_error = std::get<LocalError>(std::move(destination.to));
        no_upstream_.last_error_at = SystemClock::now();
    }
    connect_hold_ = destination.connect_hold;
    max_connections_ = destination.max_connections;
    clients_ = std::move(destination.clients);
    return {};
}

const UpstreamState& Listener::upstream() const {
    return upstream_ ? upstream_->state() : no_upstream_;
}

std::optional<LocalError> Listener::verdict() {
    return upstream_ ? upstream_->verdict() : no_upstream_.last_error;
}

void Listener::on_client(Acceptor& from, Socket client) {
    ++stats_.clients_total;
    const auto count = relays_.size() + greetings_.size();
    const bool is_surplus = count >= max_connections_ || budget_.open >= budget_.limit;
    if (is_surplus) ++stats_.clients_refused;
    if (count >= max_connections_ + kRefusedAtOnce || budget_.open >= budget_.limit + kRefusedAtOnce) return;

    ++budget_.open;
    const bool is_unix = &from == unix_.get();
    if (is_unix) ++stats_.clients_unix;
    if (options_.tls && !is_unix) {
        greetings_.push_back(std::make_unique<TlsGreeting>(loop_, static_cast<TlsGreeting::Host&>(*this),
                                                           std::move(client), *options_.tls, is_surplus));
        greetings_.back()->place = std::prev(greetings_.end());
        return;
    }
    auto channel = std::make_unique<Channel>(loop_);
    channel->set_reading(Scratch::kReadBytes);
    channel->adopt(std::move(client));
    auto& just_accepted = *channel;
    begin_session(std::move(channel), is_surplus);
    if (!is_surplus) just_accepted.read_at_once();  // who connects has something to say, and it came along as a rule
}

void Listener::on_exhausted() {
    if (stats_.accept_failures++ > 0) return;
    log::error("no descriptor or memory is left for another client; raise the limit of open files",
               {{"connection", options_.connection}});
}

void Listener::on_greeted(TlsGreeting& greeting, std::unique_ptr<Channel> client) {
    ++stats_.greetings_ok;
    begin_session(std::move(client), greeting.is_surplus());
    forget(greeting);
}

void Listener::on_greeting_failed(TlsGreeting& greeting, const tls::Failure& failure) {
    ++(failure.kind == tls::FailureKind::chain ? stats_.greetings_certificate : stats_.greetings_failed);
    log::debug("a client's TLS handshake failed", {{"connection", options_.connection}, {"reason", failure.sentence}});
    --budget_.open;
    forget(greeting);
}

void Listener::forget(TlsGreeting& greeting) {
    const auto place = greeting.place;
    loop_.dispose(std::move(*place));
    greetings_.erase(place);
}

void Listener::drop_greetings() {
    while (!greetings_.empty()) {
        --budget_.open;
        forget(*greetings_.front());
    }
}

void Listener::begin_session(std::unique_ptr<Channel> client, bool is_surplus) {
    relays_.push_back(std::make_unique<Relay>(loop_, static_cast<Relay::Host&>(*this), std::move(client)));
    Relay& relay = *relays_.back();
    relay.place = std::prev(relays_.end());
    if (is_surplus) {
        relay.start_full();
    } else {
        relay.start();
    }
}

void Listener::on_ended(Relay& relay) {
    --budget_.open;
    const auto place = relay.place;
    loop_.dispose(std::move(*place));
    relays_.erase(place);
}

/// A reader's port says so of every write.
void Listener::on_demoted() {
    if (upstream_ && options_.role == EndpointRole::primary) role_probe_.ask(upstream_);
}

void Listener::on_primary_found(SteadyClock::time_point asked) {
    log::warn("the server was demoted and another is primary: clients are moved there",
              {{"connection", options_.connection}, {"clients", relays_.size()}});
    if (upstream_) upstream_->renew_spares();
    for (auto at = relays_.begin(); at != relays_.end();)
        (*at++)->leave_server(asked);
}

void Listener::stop() {
    role_probe_.stop();
    is_stopped_ = true;
    socket_file_.remove();  // before nobody listens on it: a successor finds no stale one
    for (auto* acceptor : {tcp_.get(), unix_.get()}) {
        if (acceptor != nullptr) acceptor->stop();
    }
    if (upstream_) upstream_->stop();
}

void Listener::end_quiet_sessions() {
    drop_greetings();
    for (auto at = relays_.begin(); at != relays_.end();)
        (*at++)->end_if_quiet();
}

void Listener::abort_sessions() {
    while (!relays_.empty())
        relays_.front()->abort();
}

}  // namespace cvp::proxy
