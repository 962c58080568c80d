#include "proxy/loop/tls_engine.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/tls/accept.hpp"

namespace cvp::proxy {

namespace {

/// What others left in this thread's queue of errors would be taken for ours. Emptying it costs as much as a record's
/// encryption, and it is empty as a rule.
void forget_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

/// Reads from the engine's input, appends to its output; never blocks on writes.
struct TlsEngineBio {
    static int read(BIO* bio, char* to, int size) {
        auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (engine.input_.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const auto part = std::min(engine.input_.size(), static_cast<std::size_t>(size));
        std::memcpy(to, engine.input_.data(), part);
        engine.input_.remove_prefix(part);
        return static_cast<int>(part);
    }

    static int write(BIO* bio, const char* from, int size) {
        auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
        engine.output_->append(from, static_cast<std::size_t>(size));
        return size;
    }

    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static int on_new_ticket(SSL* ssl, SSL_SESSION* ticket) {
        auto& engine = *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
        engine.keep_ticket(TlsTickets::Session(ticket));
        return 1;  // ours now
    }

    static BIO* make(TlsEngine& engine) {
        static BIO_METHOD* const method = [] {
            auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cvp strings");
            BIO_meth_set_read(made, read);
            BIO_meth_set_write(made, write);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        BIO* bio = BIO_new(method);
        BIO_set_data(bio, &engine);
        BIO_set_init(bio, 1);
        return bio;
    }
};

Result<std::shared_ptr<TlsProfile>> TlsProfile::make(tls::ClientOptions options, std::string host) {
    auto context = tls::make_client_context(options);
    if (!context) return fail(std::move(context).error());
    SSL_CTX_set_session_cache_mode(context->native(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context->native(), TlsEngineBio::on_new_ticket);
    return std::shared_ptr<TlsProfile>(new TlsProfile(*std::move(context), std::move(options), std::move(host)));
}

TlsProfile::TlsProfile(tls::SslContext context, tls::ClientOptions options, std::string host)
    : context_(std::move(context)), options_(std::move(options)), host_(std::move(host)) {}

/// A resumed session comes with the certificate of the one before it, the very object: taking its names apart again
/// would be a fiftieth of the handshake.
tl::expected<tls::VerifiedPeer, tls::Failure> TlsProfile::verify(ssl_st* ssl) {
    X509* shown = SSL_get0_peer_certificate(ssl);
    if (shown != nullptr && shown == known_.get() && SSL_session_reused(ssl) == 1) {
        auto peer = peer_;
        peer.resumed = true;
        return peer;
    }
    auto peer = tls::verify_peer(ssl, host_, options_);
    if (peer) {
        X509_up_ref(shown);
        known_.reset(shown, X509_free);
        peer_ = *peer;
    }
    return peer;
}

TlsEngine::TlsEngine(std::shared_ptr<TlsProfile> profile) : profile_(std::move(profile)) {
    ssl_ = SSL_new(profile_->context_.native());
    attach();
    tls::set_server_name(ssl_, profile_->host_, profile_->options_);
    if (const auto ticket = profile_->tickets_.take(std::chrono::system_clock::now()))
        SSL_set_session(ssl_, ticket.get());
    SSL_set_connect_state(ssl_);
}

TlsEngine::TlsEngine(const TlsServerProfile& profile) {
    ssl_ = SSL_new(profile.context_.native());
    attach();
    SSL_set_accept_state(ssl_);
}

void TlsEngine::attach() {
    if (ssl_ == nullptr) throw std::bad_alloc();
    SSL_set_app_data(ssl_, this);
    BIO* bio = TlsEngineBio::make(*this);
    SSL_set_bio(ssl_, bio, bio);
}

TlsEngine::~TlsEngine() {
    // Without this SSL_free() takes the session for a broken one, and its tickets resume nothing.
    if (state_ == State::open || state_ == State::ended)
        SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
}

void TlsEngine::start(std::string& output) {
    output_ = &output;
    resume_handshake();
    output_ = nullptr;
}

std::size_t TlsEngine::receive(std::string_view input, char* plain, std::size_t room, std::string& output) {
    input_ = input;
    output_ = &output;
    if (state_ == State::handshaking) resume_handshake();
    std::size_t total = 0;
    forget_errors();
    // Not once more only to hear that there is nothing: OpenSSL would take and give back a buffer for it. But once in
    // any case: it gives back the handshake's.
    while (state_ == State::open && (total == 0 || !input_.empty() || SSL_has_pending(ssl_) == 1)) {
        assert(total < room);
        std::size_t part = 0;
        if (SSL_read_ex(ssl_, plain + total, room - total, &part) == 1) {
            total += part;
            continue;
        }
        const int why = SSL_get_error(ssl_, 0);
        if (why == SSL_ERROR_WANT_READ) break;  // all input is taken
        if (why == SSL_ERROR_ZERO_RETURN) {
            state_ = State::ended;
        } else {
            fail_with(profile_ ? tls::explain_break(ERR_peek_error())
                               : tls::Failure{tls::FailureKind::interrupted, "the TLS connection broke"});
        }
    }
    input_ = {};
    output_ = nullptr;
    return total;
}

void TlsEngine::resume_handshake() {
    forget_errors();
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
        if (!profile_ || take_server()) state_ = State::open;
        return;
    }
    const int why = SSL_get_error(ssl_, result);
    if (why == SSL_ERROR_WANT_READ) return;
    fail_with(profile_ ? tls::explain_handshake(ssl_, ERR_peek_error()) : tls::explain_accept(ssl_, ERR_peek_error()));
}

void TlsEngine::keep_ticket(TlsTickets::Session ticket) {
    if (state_ == State::handshaking) {
        early_ticket_ = std::move(ticket);
    } else {
        profile_->tickets_.add(std::move(ticket), ticket_until_);
    }
}

/// Decides about the server whose handshake is done.
bool TlsEngine::take_server() {
    auto peer = profile_->verify(ssl_);
    if (!peer) {
        fail_with(std::move(peer).error());
        return false;
    }
    ticket_until_ = peer->not_after;
    if (early_ticket_) profile_->tickets_.add(std::move(early_ticket_), ticket_until_);
    peer_ = std::make_unique<tls::VerifiedPeer>(*std::move(peer));
    return true;
}

void TlsEngine::fail_with(tls::Failure failure) {
    state_ = State::failed;
    failure_ = std::make_unique<tls::Failure>(std::move(failure));
    if (profile_) profile_->tickets_.clear();
}

void TlsEngine::send(std::string_view plain, std::string& output) {
    output_ = &output;
    forget_errors();
    while (!plain.empty()) {
        std::size_t part = 0;
        if (SSL_write_ex(ssl_, plain.data(), plain.size(), &part) != 1) {
            fail_with({tls::FailureKind::interrupted, "the TLS connection broke"});
            break;
        }
        plain.remove_prefix(part);
    }
    output_ = nullptr;
}

void TlsEngine::finish(std::string& output) {
    output_ = &output;
    SSL_shutdown(ssl_);
    output_ = nullptr;
}

std::optional<tls::VerifiedPeer> TlsEngine::take_peer() {
    if (!peer_) return std::nullopt;
    return std::move(*std::exchange(peer_, nullptr));
}

}  // namespace cvp::proxy
