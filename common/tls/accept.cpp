#include "common/tls/accept.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace cvp::tls {

Failure explain_accept(const ssl_st* ssl, unsigned long openssl_error) {
    if (openssl_error == 0 || ERR_SYSTEM_ERROR(openssl_error)) {
        return {FailureKind::interrupted, "the client went away in the handshake"};
    }
    const char* text = ERR_reason_error_string(openssl_error);
    const std::string reason = text == nullptr ? "unknown error" : text;
    switch (ERR_GET_REASON(openssl_error)) {
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return {FailureKind::interrupted, "the client went away in the handshake"};
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return {FailureKind::chain, "the client showed no certificate"};
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return {FailureKind::chain, std::string("the client's certificate is not accepted: ") +
                                            X509_verify_cert_error_string(SSL_get_verify_result(ssl))};
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_WRONG_SSL_VERSION:
            return {FailureKind::version, "the client has no TLS version that we allow"};
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
        case SSL_R_RECORD_LENGTH_MISMATCH:
            return {FailureKind::handshake, "the client does not speak TLS"};
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
            return {FailureKind::handshake, "the client does not accept our certificate: " + reason};
        default:
            return {FailureKind::handshake, reason};
    }
}

}  // namespace cvp::tls
