#include "tests/emulator/front_connection.hpp"

#include <algorithm>

namespace cvp::emulator {
namespace {

using Outcome = FrontSocket::Outcome;

constexpr std::size_t kMostUnsent = 256 * 1024;
/// How long a client may go on sending after the server's end, so that no reset destroys the server's last words.
constexpr auto kLinger = std::chrono::seconds(1);

}  // namespace

bool FrontConnection::wants_from_client() const {
    if (client_ended_) return false;
    return server_ended_ || server_is_deaf_ || (gate_.takes_from_client() && gate_.unsent_to_server() < kMostUnsent);
}

bool FrontConnection::wants_from_server() const {
    return !server_ended_ && !gate_.is_cut() && (client_is_deaf_ || gate_.unsent_to_client() < kMostUnsent);
}

bool FrontConnection::establish() {
    for (auto* socket : {&server_, &client_}) {
        const auto outcome = socket->establish();
        if (outcome == Outcome::broken) cut();
        if (outcome != Outcome::moved) return false;
    }
    return true;
}

bool FrontConnection::pump(SteadyClock::time_point now) {
    if (!is_established_ && !is_over_) is_established_ = establish();
    if (is_over_ || !is_established_) return false;
    gate_.on_time(now);
    bool has_moved = move_from_client(now);
    has_moved |= move_from_server();
    has_moved |= move_to(server_, gate_.to_server(), server_is_deaf_);
    has_moved |= move_to(client_, gate_.to_client(), client_is_deaf_);
    finish(now);
    return has_moved;
}

bool FrontConnection::move_from_client(SteadyClock::time_point now) {
    if (!wants_from_client()) return false;
    std::string bytes;
    const auto outcome = client_.read(bytes);
    // After the server's end they would never arrive.
    if (outcome == Outcome::moved && !server_ended_ && !server_is_deaf_) gate_.take_from_client(bytes, now);
    if (outcome == Outcome::ended) client_ended_ = true;
    return outcome == Outcome::moved;
}

bool FrontConnection::move_from_server() {
    if (!wants_from_server()) return false;
    std::string bytes;
    const auto outcome = server_.read(bytes);
    if (outcome == Outcome::moved && !client_is_deaf_) gate_.take_from_server(bytes);
    if (outcome == Outcome::ended) server_ended_ = true;
    return outcome == Outcome::moved;
}

bool FrontConnection::move_to(FrontSocket& socket, std::string& bytes, bool& is_deaf) {
    if (is_deaf) bytes.clear();
    if (bytes.empty()) return false;
    const auto outcome = socket.write(bytes);
    if (outcome == Outcome::ended) is_deaf = true;
    return outcome == Outcome::moved;
}

void FrontConnection::finish(SteadyClock::time_point now) {
    const bool client_has_all = gate_.unsent_to_client() == 0;
    if (gate_.is_cut() && client_has_all) return cut();
    // A client that is gone for good hears nothing more: the server must learn that at once, whatever it still sends.
    if (client_ended_ && client_is_deaf_) return cut();
    tells_server_ = client_ended_ && !server_is_told_ && gate_.unsent_to_server() == 0 && gate_.takes_from_client();
    if (tells_server_) server_is_told_ = server_.finish_writing() == Outcome::moved;
    tells_client_ = server_ended_ && !client_is_told_ && client_has_all;
    if (tells_client_ && client_.finish_writing() == Outcome::moved) {
        client_is_told_ = true;
        linger_end_ = now + kLinger;
    }
    if (client_is_told_ && (client_ended_ || now >= *linger_end_)) cut();
}

void FrontConnection::cut() {
    client_.cut();
    server_.cut();
    is_over_ = true;
}

void FrontConnection::add_to(std::vector<pollfd>& entries) const {
    // Never for nothing: poll(2) would report a hang-up again and again.
    const auto add = [&](const FrontSocket& socket, short events) {
        if (events != 0) entries.push_back({socket.fd(), events, 0});
    };
    if (is_over_) return;
    if (!is_established_) {
        const auto& next = server_.is_established() ? client_ : server_;
        return add(next, next.interest(false, false));
    }
    const bool writes_to_client = gate_.unsent_to_client() > 0 || (tells_client_ && !client_is_told_);
    const bool writes_to_server = gate_.unsent_to_server() > 0 || (tells_server_ && !server_is_told_);
    add(client_, client_.interest(wants_from_client(), writes_to_client));
    add(server_, server_.interest(wants_from_server(), writes_to_server));
}

std::optional<SteadyClock::time_point> FrontConnection::expiry(const LoginAge& age) const {
    const auto login = age.is_prolonged ? gate_.last_login() : gate_.first_login();
    if (age.limit.count() == 0 || !login) return std::nullopt;
    return *login + age.limit;
}

std::optional<SteadyClock::time_point> FrontConnection::wakes_at(const LoginAge& age) const {
    std::optional<SteadyClock::time_point> soonest;
    for (const auto& time : {gate_.wakes_at(), linger_end_, expiry(age)})
        if (time && (!soonest || *time < *soonest)) soonest = time;
    return soonest;
}

bool FrontConnection::is_expired(const LoginAge& age, SteadyClock::time_point now) const {
    const auto time = expiry(age);
    return !is_over_ && time && *time <= now;
}

}  // namespace cvp::emulator
