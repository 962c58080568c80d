#pragma once

#include <memory>

#include "common/result.hpp"
#include "common/tls/options.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX, so that its headers stay in the .cpp

namespace cvp::tls {

/// Shared owner of an OpenSSL SSL_CTX: certificates are parsed once, connections are made from it.
///
/// Copies share one SSL_CTX. A connection (SSL) holds a reference of its own, so a context may be replaced while
/// connections made from the old one live on.
class SslContext {
public:
    /// Takes ownership; `native` is not null.
    explicit SslContext(ssl_ctx_st* native);

    ssl_ctx_st* native() const { return native_.get(); }

private:
    std::shared_ptr<ssl_ctx_st> native_;
};

/// Builds what a TLS client needs. The chain is verified in the handshake; the identity is not: call verify_peer()
/// (common/tls/identity.hpp) right after it, before the first byte of application data.
///
/// Every certificate of `ca_pem` is an anchor, intermediates too. Session caching is off.
/// @errors invalid_argument, naming the faulty part (CA, certificate, key, identities)
Result<SslContext> make_client_context(const ClientOptions& options);

/// Builds what a TLS server needs: its chain and key, and whose clients it takes. TLS 1.2 and up.
/// @errors invalid_argument, naming the faulty part, also if the key is not that of the certificate
Result<SslContext> make_server_context(const ServerOptions& options);

}  // namespace cvp::tls
