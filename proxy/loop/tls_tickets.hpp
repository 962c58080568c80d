#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace cvp::proxy {

/// What a server gave to resume its sessions with, newest first.
///
/// One of TLS 1.3 is for one connection (RFC 8446 C.4), which brings another. But the last stays, as one of TLS 1.2
/// does: an application that opens its pool at once comes before the tickets do that its first connections bring, and
/// would shake hands in full for each of the others. What a second use might tell an observer, our address tells him
/// anyway.
///
/// Owner: a TlsProfile.
class TlsTickets {
public:
    static constexpr std::size_t kMost = 16;
    using TimePoint = std::chrono::system_clock::time_point;
    struct Free {
        void operator()(ssl_session_st* session) const;
    };
    using Session = std::unique_ptr<ssl_session_st, Free>;

    /// @param until the end of the certificate that was verified for it: OpenSSL does not look at that again. The
    ///        session's own end may come sooner.
    void add(Session session, TimePoint until);
    /// The newest that can be used; null if there is none.
    Session take(TimePoint now);
    void clear() { tickets_.clear(); }
    std::size_t size() const { return tickets_.size(); }

private:
    struct Ticket {
        Session session;
        TimePoint until;
    };
    std::vector<Ticket> tickets_;  ///< the newest last
};

}  // namespace cvp::proxy
