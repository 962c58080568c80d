#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/tls/options.hpp"

struct ssl_st;  // OpenSSL's SSL, so that its headers stay in the .cpp

namespace cvp::tls {

/// Why a TLS connection did not come to be.
enum class FailureKind {
    chain,        ///< the server's certificate is not trusted: foreign CA, expired, not yet valid, not for servers
    identity,     ///< the certificate is trusted but is somebody else's
    version,      ///< no TLS version that both allow
    handshake,    ///< refused in another way: no TLS at all, no cipher, our client certificate was not liked
    interrupted,  ///< the connection broke; a retry may help
};

/// The kind's name, for logs and metric labels.
std::string_view to_string(FailureKind kind);

/// A kind to act upon and a sentence for a human. Text from the peer's certificate is printable and bounded.
struct Failure {
    FailureKind kind = FailureKind::handshake;
    std::string sentence;

    bool operator==(const Failure&) const = default;
};

/// "tls_failed: TLS identity: the certificate is for …"; an interrupted handshake is `unavailable`.
Error to_error(const Failure& failure);

/// What is known of a server whose handshake and verification succeeded.
struct VerifiedPeer {
    std::string tls_version;  ///< "TLSv1.3"
    std::string identity;     ///< the one that matched, "ip:10.0.0.3"; empty unless verify is full
    std::chrono::system_clock::time_point not_after;  ///< end of the certificate's life
    bool resumed = false;

    /// "TLSv1.3, verified ip:10.0.0.3" for logs and /status.
    std::string to_string() const;
};

/// Checks that an expected identity reads "ip:ADDRESS" or "dns:NAME".
/// @errors invalid_argument
Result<void> check_identity_form(std::string_view identity);

/// Sets the server name (SNI) before the handshake: `server_name`, else `host`; none for an IP address.
void set_server_name(ssl_st* ssl, std::string_view host, const ClientOptions& options);

/// Decides about the server after the handshake and before the first application byte, also after a resumption.
///
/// The chain result of the handshake is read again; with Verify::full one of the expected identities must be in the
/// certificate's subjectAltName. The common name is never looked at; a wildcard stands for one whole label.
/// @param host what was dialled: a name or an IP address
tl::expected<VerifiedPeer, Failure> verify_peer(ssl_st* ssl, std::string_view host, const ClientOptions& options);

/// Says why a client's handshake failed.
/// @param openssl_error the value of ERR_get_error() right after it; 0 if the connection just ended
Failure explain_handshake(const ssl_st* ssl, unsigned long openssl_error);

/// Says why an open connection broke. A server of TLS 1.3 that misses or refuses our certificate says so only after the
/// handshake, which has ended for us by then.
/// @param openssl_error as above
Failure explain_break(unsigned long openssl_error);

}  // namespace cvp::tls
