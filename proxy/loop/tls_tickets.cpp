#include "proxy/loop/tls_tickets.hpp"

#include <algorithm>
#include <utility>

#include <openssl/ssl.h>

namespace cvp::proxy {

namespace {

/// When the server forgets it; one that does not say so keeps it for good.
TlsTickets::TimePoint end_of(const SSL_SESSION* session) {
    const auto seconds = SSL_SESSION_get_ticket_lifetime_hint(session);
    if (seconds == 0) return TlsTickets::TimePoint::max();
    return TlsTickets::TimePoint(std::chrono::seconds(SSL_SESSION_get_time(session))) + std::chrono::seconds(seconds);
}

}  // namespace

void TlsTickets::Free::operator()(ssl_session_st* session) const {
    SSL_SESSION_free(session);
}

void TlsTickets::add(Session session, TimePoint until) {
    if (tickets_.size() == kMost) tickets_.erase(tickets_.begin());
    until = std::min(until, end_of(session.get()));
    tickets_.push_back({std::move(session), until});
}

TlsTickets::Session TlsTickets::take(TimePoint now) {
    std::erase_if(tickets_, [now](const auto& ticket) {
        return ticket.until <= now || SSL_SESSION_is_resumable(ticket.session.get()) == 0;
    });
    if (tickets_.empty()) return nullptr;
    auto& newest = tickets_.back().session;
    const bool is_last = tickets_.size() == 1;
    if (is_last || SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
        return Session(SSL_SESSION_dup(newest.get()));  // OpenSSL marks what was used as not to be used again
    }
    auto session = std::move(newest);
    tickets_.pop_back();
    return session;
}

}  // namespace cvp::proxy
