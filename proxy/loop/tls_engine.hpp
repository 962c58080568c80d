#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/tls/context.hpp"
#include "common/tls/identity.hpp"
#include "common/tls/options.hpp"
#include "proxy/loop/tls_server_profile.hpp"
#include "proxy/loop/tls_tickets.hpp"

struct ssl_st;  // OpenSSL's SSL and X509, so that its headers stay in the .cpp
struct x509_st;

namespace cvp::proxy {

/// What all TLS connections to one server share: the context, the rules, and the tickets, so that connections after the
/// first resume. New rules need a new profile: a ticket never outlives the rules it was won under, nor the certificate
/// that was verified for it.
///
/// Owner: shared by an Upstream and its connections. Main loop only.
class TlsProfile {
public:
    /// @param host what is dialled: name or IP address
    /// @errors invalid_argument, naming the faulty part of `options`
    static Result<std::shared_ptr<TlsProfile>> make(tls::ClientOptions options, std::string host);

private:
    friend class TlsEngine;
    friend struct TlsEngineBio;
    TlsProfile(tls::SslContext context, tls::ClientOptions options, std::string host);
    tl::expected<tls::VerifiedPeer, tls::Failure> verify(ssl_st* ssl);

    tls::SslContext context_;
    tls::ClientOptions options_;
    std::string host_;
    TlsTickets tickets_;
    std::shared_ptr<x509_st> known_;  ///< the certificate that was verified last
    tls::VerifiedPeer peer_;          ///< whose it is
};

/// One end of a TLS connection, without a socket: ciphertext in and out are strings of the caller's.
///
/// Guarantees: no application byte is taken or handed out before the peer is verified: a server's chain and identity, a
/// client's certificate where it is demanded. Output never blocks: what the socket does not take is the caller's to
/// queue. Errors of the peer end it, with a reason.
/// Owner: a Channel. Main loop only.
class TlsEngine {
public:
    enum class State {
        handshaking,
        open,    ///< verified
        ended,   ///< the peer's close_notify came: it sends no more, we still may
        failed,  ///< see failure(); only an alert may be left to send
    };

    /// The client's end.
    explicit TlsEngine(std::shared_ptr<TlsProfile> profile);
    /// The server's end.
    explicit TlsEngine(const TlsServerProfile& profile);
    ~TlsEngine();
    TlsEngine(const TlsEngine&) = delete;
    TlsEngine& operator=(const TlsEngine&) = delete;

    State state() const { return state_; }

    /// Begins the handshake: appends its first flight, which only a client has, to `output`.
    void start(std::string& output);

    /// Takes all of `input`. Plaintext goes to `plain`, which has room for the input and one record (16 KiB) more;
    /// what must be answered is appended to `output`.
    /// @return the bytes of plaintext; state() may have moved on
    std::size_t receive(std::string_view input, char* plain, std::size_t room, std::string& output);

    /// Encrypts all of `plain` to the end of `output`. State must be open or ended.
    void send(std::string_view plain, std::string& output);

    /// Appends a close_notify: we send no more.
    void finish(std::string& output);

    /// Which server was verified; nothing before that, nor at the server's end. Kept until taken, so that an idle
    /// connection does not carry it.
    std::optional<tls::VerifiedPeer> take_peer();

    /// Why it failed.
    const tls::Failure& failure() const { return *failure_; }

private:
    friend struct TlsEngineBio;  // the custom BIO between OpenSSL and the strings

    void attach();
    void resume_handshake();
    void keep_ticket(TlsTickets::Session ticket);
    bool take_server();
    void fail_with(tls::Failure failure);

    std::shared_ptr<TlsProfile> profile_;  ///< null at the server's end
    ssl_st* ssl_ = nullptr;
    State state_ = State::handshaking;
    std::string_view input_;
    std::string* output_ = nullptr;
    std::unique_ptr<tls::VerifiedPeer> peer_;
    TlsTickets::Session early_ticket_;  ///< it came before the server was verified, as TLS 1.2 has it
    TlsTickets::TimePoint ticket_until_;
    std::unique_ptr<tls::Failure> failure_;
};

}  // namespace cvp::proxy
