#include "common/tls/context.hpp"

#include <string>
#include <utility>
#include <vector>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/crypto/openssl.hpp"
#include "common/tls/identity.hpp"

namespace cvp::tls {
namespace {

using crypto::read_certificates;
using crypto::read_private_key;

using X509StackPtr =
    std::unique_ptr<STACK_OF(X509), crypto::Freeing<[](STACK_OF(X509) * stack) { sk_X509_free(stack); }>>;

constexpr unsigned char kSessionIdContext[] = "cvp";
/// OpenSSL's own, but AES-128 first, as browsers have it: its handshake hashes with SHA-256, for which CPUs have
/// instructions, and not with SHA-384. A server that prefers another one gets it.
constexpr auto kCipherSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

tl::unexpected<Error> name_fault(const char* part, const Error& error) {
    return fail(error.code, std::string(part) + ": " + error.context);
}

Result<SslContext> make_context(const SSL_METHOD* method, MinVersion min_version) {
    SSL_CTX* native = SSL_CTX_new(method);
    if (native == nullptr) return fail(ErrorCode::internal, "TLS context: " + crypto::take_openssl_error());
    SslContext context(native);
    SSL_CTX_set_min_proto_version(native, min_version == MinVersion::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_ciphersuites(native, kCipherSuites);
    SSL_CTX_set_security_level(native, 2);  // as Debian's default, also where no openssl.cnf is installed
    SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(native,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    return context;
}

Result<void> trust(SSL_CTX* context, const std::string& ca_pem) {
    const auto authorities = read_certificates(ca_pem);
    if (!authorities) return name_fault("CA", authorities.error());
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const auto& authority : *authorities)
        X509_STORE_add_cert(store, authority.get());
    return {};
}

Result<void> show(SSL_CTX* context, const std::string& certificate_pem, const Secret& key_pem) {
    const auto certificates = read_certificates(certificate_pem);
    if (!certificates) return name_fault("certificate", certificates.error());
    const auto key = read_private_key(key_pem);
    if (!key) return name_fault("key", key.error());
    const X509StackPtr chain(sk_X509_new_null());
    for (auto at = certificates->begin() + 1; at != certificates->end(); ++at)
        sk_X509_push(chain.get(), at->get());
    if (SSL_CTX_use_cert_and_key(context, certificates->front().get(), key->get(), chain.get(), 1) != 1) {
        return fail(ErrorCode::invalid_argument, "certificate and key: " + crypto::take_openssl_error());
    }
    return {};
}

}  // namespace

SslContext::SslContext(ssl_ctx_st* native) : native_(native, SSL_CTX_free) {}

Result<SslContext> make_client_context(const ClientOptions& options) {
    for (const auto& identity : options.identities) {
        if (const auto valid = check_identity_form(identity); !valid) return name_fault("identities", valid.error());
    }
    auto context = make_context(TLS_client_method(), options.min_version);
    if (!context) return context;
    SSL_CTX* native = context->native();
    SSL_CTX_set_verify(native, options.verify == Verify::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(native);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);  // an intermediate may be the anchor
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
    if (options.system_roots) SSL_CTX_set_default_verify_paths(native);
    if (!options.ca_pem.empty()) {
        if (auto trusted = trust(native, options.ca_pem); !trusted) return fail(std::move(trusted).error());
    }
    if (!options.certificate_pem.empty() || !options.key_pem.empty()) {
        auto shown = show(native, options.certificate_pem, options.key_pem);
        if (!shown) return name_fault("client certificate", shown.error());
    }
    return context;
}

Result<SslContext> make_server_context(const ServerOptions& options) {
    auto context = make_context(TLS_server_method(), MinVersion::tls1_2);
    if (!context) return context;
    SSL_CTX* native = context->native();
    SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_id_context(native, kSessionIdContext, sizeof kSessionIdContext - 1);
    if (auto shown = show(native, options.certificate_pem, options.key_pem); !shown) {
        return fail(std::move(shown).error());
    }
    if (!options.client_ca_pem.empty()) {
        if (auto trusted = trust(native, options.client_ca_pem); !trusted) {
            return name_fault("client CA", trusted.error());
        }
        SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(native), X509_V_FLAG_PARTIAL_CHAIN);
    }
    return context;
}

}  // namespace cvp::tls
