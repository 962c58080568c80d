#include "proxy/upstream/spares.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

constexpr std::size_t kAnything = 1024;  ///< a server has nothing to say here

}  // namespace

struct Spares::Spare final : Channel::Owner {
    Spare(Spares& spares, LoggedIn logged_in, SteadyClock::time_point end)
        : all(spares), connection(std::move(logged_in)), until(end) {
        connection.channel->set_owner(*this);
        connection.channel->set_reading(kAnything);
    }

    void on_open() override {}
    void on_bytes(std::string_view) override { all.drop(*this); }
    void on_eof() override { all.drop(*this); }
    void on_broken(const ChannelFault&) override { all.drop(*this); }
    void on_sent() override {}
    void on_hangup() override { all.drop(*this); }

    Spares& all;
    LoggedIn connection;
    SteadyClock::time_point until;
};

Spares::Spares(EventLoop& loop, Owner& owner) : loop_(loop), owner_(owner) {}

Spares::~Spares() {
    clear();
}

std::size_t Spares::fresh(SteadyClock::time_point now) const {
    return static_cast<std::size_t>(
        std::count_if(spares_.begin(), spares_.end(), [&](const auto& spare) { return spare->until > now; }));
}

std::optional<SteadyClock::time_point> Spares::next_expiry(SteadyClock::time_point now) const {
    std::optional<SteadyClock::time_point> next;
    for (const auto& spare : spares_) {
        if (spare->until > now && (!next || spare->until < *next)) next = spare->until;
    }
    return next;
}

void Spares::add(LoggedIn connection, SteadyClock::time_point until) {
    spares_.push_back(std::make_unique<Spare>(*this, std::move(connection), until));
}

std::optional<LoggedIn> Spares::take() {
    while (!spares_.empty()) {
        auto connection = std::move(spares_.front()->connection);
        spares_.pop_front();
        if (!connection.channel->has_input()) return connection;
        loop_.dispose(std::move(connection.channel));  // its end has come, and was not handled yet
    }
    return std::nullopt;
}

void Spares::drop_expired(SteadyClock::time_point now) {
    for (auto at = spares_.begin(); at != spares_.end();) {
        if ((*at)->until > now) {
            ++at;
            continue;
        }
        (*at)->connection.channel->finish();
        loop_.dispose(std::move((*at)->connection.channel));
        at = spares_.erase(at);
    }
}

void Spares::clear() {
    for (auto& spare : spares_) {
        spare->connection.channel->finish();
        loop_.dispose(std::move(spare->connection.channel));
    }
    spares_.clear();
}

void Spares::drop(Spare& spare) {
    const auto at = spare.connection.at;
    loop_.dispose(std::move(spare.connection.channel));
    spares_.remove_if([&](const auto& other) { return other.get() == &spare; });
    owner_.on_spare_lost(at);
}

}  // namespace cvp::proxy
