#include "proxy/loop/tls_tickets.hpp"

#include <utility>

#include <openssl/ssl.h>

namespace cvp::proxy {

void TlsTickets::Free::operator()(ssl_session_st* session) const {
    SSL_SESSION_free(session);
}

void TlsTickets::add(Session session, TimePoint until) {
    if (tickets_.size() == kMost) tickets_.erase(tickets_.begin());
    tickets_.push_back({std::move(session), until});
}

TlsTickets::Session TlsTickets::take(TimePoint now) {
    while (!tickets_.empty()) {
        auto& newest = tickets_.back();
        const bool is_usable = now < newest.until && SSL_SESSION_is_resumable(newest.session.get()) == 1;
        if (is_usable && SSL_SESSION_get_protocol_version(newest.session.get()) < TLS1_3_VERSION) {
            SSL_SESSION_up_ref(newest.session.get());
            return Session(newest.session.get());
        }
        auto session = std::move(newest.session);
        tickets_.pop_back();
        if (is_usable) return session;
    }
    return nullptr;
}

}  // namespace cvp::proxy
