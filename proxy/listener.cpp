#include "proxy/listener.hpp"

#include <cerrno>
#include <utility>

#include "common/log/log.hpp"

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr int kAcceptsPerTurn = 64;
constexpr auto kAcceptPause = 100ms;
constexpr std::size_t kRefusedAtOnce = 64;  ///< clients beyond the limit that are told so properly at one time

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, asio::io_context& io, SessionBudget& budget,
                                                 PortOptions options) {
    const auto address = SocketAddress::parse(options.address, options.port);
    if (!address) return fail(address.error());
    auto socket = listen_tcp(*address);
    if (!socket) return fail(std::move(socket).error());
    const auto bound = local_address(*socket);
    if (!bound) return fail(bound.error());
    return std::unique_ptr<Listener>(
        new Listener(loop, io, budget, std::move(options), *std::move(socket), bound->port()));
}

Listener::Listener(EventLoop& loop, asio::io_context& io, SessionBudget& budget, PortOptions options, Socket socket,
                   std::uint16_t port)
    : loop_(loop),
      io_(io),
      budget_(budget),
      options_(std::move(options)),
      socket_(std::move(socket)),
      port_(port),
      watch_(loop, *this),
      accept_pause_(loop.timers(), *this) {
    no_upstream_.last_error = make_local_error(Cause::not_resolved, "the instance is not known yet");
    watch_.start(socket_.fd(), EPOLLIN);
}

Listener::~Listener() {
    stop();
    abort_sessions();
}

Result<void> Listener::set_destination(Destination destination) {
    if (auto* target = std::get_if<Target>(&destination.to)) {
        auto made = Upstream::make(loop_, io_, options_.connection, std::move(*target), stats_);
        if (!made) return fail(std::move(made).error());
        if (upstream_) upstream_->stop();
        upstream_ = *std::move(made);
        if (socket_) upstream_->start();
    } else {
        if (upstream_) upstream_->stop();
        upstream_.reset();
        no_upstream_.last_error = std::get<LocalError>(std::move(destination.to));
        no_upstream_.last_error_at = SystemClock::now();
    }
    connect_hold_ = destination.connect_hold;
    max_connections_ = destination.max_connections;
    return {};
}

const UpstreamState& Listener::upstream() const {
    return upstream_ ? upstream_->state() : no_upstream_;
}

std::optional<LocalError> Listener::verdict() {
    return upstream_ ? upstream_->verdict() : no_upstream_.last_error;
}

void Listener::on_ready(std::uint32_t) {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        Socket client(::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (client) {
            admit(std::move(client));
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return pause_accepting();
        // Anything else is the news of one client that went away before it was accepted.
    }
}

void Listener::pause_accepting() {
    if (stats_.accept_failures++ == 0) {
        log::error("no descriptor or memory is left for another client; raise the limit of open files",
                   {{"connection", options_.connection}});
    }
    watch_.want(0);
    accept_pause_.start(SteadyClock::now() + kAcceptPause);
}

void Listener::on_time(SteadyClock::time_point) {
    watch_.want(EPOLLIN);
}

void Listener::admit(Socket client) {
    ++stats_.clients_total;
    tune_client(client);
    const bool is_full = relays_.size() >= max_connections_ || budget_.open >= budget_.limit;
    if (is_full) {
        ++stats_.clients_refused;
        if (relays_.size() >= max_connections_ + kRefusedAtOnce || budget_.open >= budget_.limit + kRefusedAtOnce)
            return;
    }
    ++budget_.open;
    relays_.push_back(std::make_unique<Relay>(loop_, static_cast<Relay::Host&>(*this), std::move(client)));
    Relay& relay = *relays_.back();
    relay.place = std::prev(relays_.end());
    if (is_full) {
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

void Listener::stop() {
    watch_.stop();
    accept_pause_.stop();
    socket_.close();
    if (upstream_) upstream_->stop();
}

void Listener::end_quiet_sessions() {
    for (auto at = relays_.begin(); at != relays_.end();)
        (*at++)->end_if_quiet();
}

void Listener::abort_sessions() {
    while (!relays_.empty())
        relays_.front()->abort();
}

}  // namespace cvp::proxy
