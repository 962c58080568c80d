#include "common/tls/identity.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/crypto/openssl.hpp"

namespace cvp::tls {
namespace {

constexpr std::size_t kMaxNamesShown = 4;
constexpr std::size_t kMaxPeerText = 200;
constexpr unsigned kHostRules = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

bool is_ip(const std::string& text) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    return address != nullptr;
}

std::string without_final_dot(std::string name) {
    if (name.ends_with('.')) name.pop_back();
    return name;
}

std::string to_identity(std::string_view host) {
    std::string text(host);
    return is_ip(text) ? "ip:" + text : "dns:" + without_final_dot(std::move(text));
}

std::vector<std::string> wanted_identities(std::string_view host, const ClientOptions& options) {
    if (!options.identities.empty()) return options.identities;
    return {to_identity(options.server_name.empty() ? host : std::string_view(options.server_name))};
}

bool matches(X509* certificate, const std::string& identity) {
    if (identity.starts_with("ip:")) return X509_check_ip_asc(certificate, identity.substr(3).c_str(), 0) == 1;
    const auto name = without_final_dot(identity.substr(4));
    return X509_check_host(certificate, name.data(), name.size(), kHostRules, nullptr) == 1;
}

/// Text of a foreign certificate, made fit for a log line or a protocol error.
std::string printable(std::string text) {
    if (text.size() > kMaxPeerText) text.resize(kMaxPeerText);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

std::string list(const std::vector<std::string>& names, std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMaxNamesShown); ++i) {
        text.append(i == 0 ? "" : separator).append(names[i]);
    }
    if (names.size() > kMaxNamesShown) text += " and " + std::to_string(names.size() - kMaxNamesShown) + " more";
    return text;
}

Failure wrong_identity(const X509* certificate, const std::vector<std::string>& wanted) {
    const auto found = crypto::identities_of(certificate);
    const auto is_for = found.empty() ? "names no identity (it has no subjectAltName)" : "is for " + list(found, ", ");
    return {FailureKind::identity, "the certificate " + printable(is_for) + ", want " + list(wanted, " or ")};
}

/// "the certificate" for a leaf, "the CA certificate CN=…" for one above it.
std::string describe(X509* certificate, bool is_leaf) {
    if (is_leaf) return "the certificate";
    return "the CA certificate " + printable(crypto::name_text(X509_get_subject_name(certificate)));
}

/// The first certificate of the chain for which `time_of` lies on the wrong side of now.
template <class Get>
std::string explain_time(STACK_OF(X509) * chain, Get time_of, int wrong_side, const char* verb) {
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        X509* certificate = sk_X509_value(chain, i);
        if (X509_cmp_current_time(time_of(certificate)) == wrong_side) {
            return describe(certificate, i == 0) + verb + crypto::rfc3339(time_of(certificate));
        }
    }
    return {};
}

bool trusts_nobody(const SSL* ssl) {
    X509_STORE* store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0;
}

std::string explain_issuer(const SSL* ssl, STACK_OF(X509) * chain) {
    if (trusts_nobody(ssl)) return "no CA certificate is given that could be trusted";
    if (sk_X509_num(chain) <= 0) return "the certificate's CA is not a trusted one";
    X509* last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    return "the certificate's CA is not a trusted one: " + printable(crypto::name_text(X509_get_issuer_name(last)));
}

Failure explain_chain(const SSL* ssl) {
    STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
    const long reason = SSL_get_verify_result(ssl);
    std::string sentence;
    switch (reason) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            sentence = explain_time(chain, X509_get0_notAfter, -1, " expired ");
            break;
        case X509_V_ERR_CERT_NOT_YET_VALID:
            sentence = explain_time(chain, X509_get0_notBefore, 1, " is not valid before ");
            break;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            sentence = explain_issuer(ssl, chain);
            break;
        case X509_V_ERR_INVALID_PURPOSE:
            sentence = "the certificate is not meant for a server (extended key usage)";
            break;
        default:
            break;
    }
    if (sentence.empty()) sentence = X509_verify_cert_error_string(reason);
    return {FailureKind::chain, sentence};
}

/// What a server says of our certificate, by an alert.
std::optional<Failure> explain_certificate_alert(unsigned long openssl_error) {
    const int reason = ERR_GET_REASON(openssl_error);
    switch (reason) {
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            return Failure{FailureKind::handshake, "the server demands a client certificate (tls.crt and tls.key)"};
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
            return Failure{FailureKind::handshake, std::string("the server does not accept our client certificate: ") +
                                                       ERR_reason_error_string(openssl_error)};
        default:
            return std::nullopt;
    }
}

}  // namespace

std::string_view to_string(FailureKind kind) {
    switch (kind) {
        case FailureKind::chain:
            return "chain";
        case FailureKind::identity:
            return "identity";
        case FailureKind::version:
            return "version";
        case FailureKind::handshake:
            return "handshake";
        case FailureKind::interrupted:
            return "interrupted";
    }
    return "handshake";
}

Error to_error(const Failure& failure) {
    const auto code = failure.kind == FailureKind::interrupted ? ErrorCode::unavailable : ErrorCode::tls_failed;
    return {code, "TLS " + std::string(to_string(failure.kind)) + ": " + failure.sentence};
}

std::string VerifiedPeer::to_string() const {
    return tls_version + (identity.empty() ? ", identity not verified" : ", verified " + identity);
}

Result<void> check_identity_form(std::string_view identity) {
    if (identity.starts_with("ip:") && is_ip(std::string(identity.substr(3)))) return {};
    // A leading dot would make OpenSSL match every name below it.
    if (identity.starts_with("dns:") && identity.size() > 4 && identity[4] != '.') return {};
    return fail(ErrorCode::invalid_argument, "\"" + std::string(identity) + "\" must read ip:ADDRESS or dns:NAME");
}

void set_server_name(ssl_st* ssl, std::string_view host, const ClientOptions& options) {
    const auto identity = to_identity(options.server_name.empty() ? host : std::string_view(options.server_name));
    if (identity.starts_with("dns:")) SSL_set_tlsext_host_name(ssl, identity.substr(4).c_str());
}

tl::expected<VerifiedPeer, Failure> verify_peer(ssl_st* ssl, std::string_view host, const ClientOptions& options) {
    X509* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) {
        return tl::unexpected(Failure{FailureKind::chain, "the server showed no certificate"});
    }
    VerifiedPeer peer;
    if (options.verify != Verify::none && SSL_get_verify_result(ssl) != X509_V_OK) {
        return tl::unexpected(explain_chain(ssl));
    }
    if (options.verify == Verify::full) {
        const auto wanted = wanted_identities(host, options);
        const auto found = std::find_if(wanted.begin(), wanted.end(), [&](const std::string& identity) {
            return check_identity_form(identity) && matches(certificate, identity);
        });
        if (found == wanted.end()) return tl::unexpected(wrong_identity(certificate, wanted));
        peer.identity = *found;
    }
    peer.tls_version = SSL_get_version(ssl);
    peer.not_after = crypto::time_point_of(X509_get0_notAfter(certificate));
    peer.resumed = SSL_session_reused(ssl) == 1;
    return peer;
}

Failure explain_handshake(const ssl_st* ssl, unsigned long openssl_error) {
    if (openssl_error == 0 || ERR_SYSTEM_ERROR(openssl_error)) {
        return {FailureKind::interrupted, "the connection ended in the handshake"};
    }
    const int reason = ERR_GET_REASON(openssl_error);
    switch (reason) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return explain_chain(ssl);
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return {FailureKind::interrupted, "the connection ended in the handshake"};
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
            return {FailureKind::version, "the server has no TLS version that we allow"};
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_INVALID_SESSION_ID:
            return {FailureKind::handshake, "the server does not speak TLS"};
        default:
            break;
    }
    if (auto alert = explain_certificate_alert(openssl_error)) return *std::move(alert);
    const char* text = ERR_reason_error_string(openssl_error);
    return {FailureKind::handshake, text == nullptr ? "unknown error" : text};
}

Failure explain_break(unsigned long openssl_error) {
    if (auto alert = explain_certificate_alert(openssl_error)) return *std::move(alert);
    return {FailureKind::interrupted, "the TLS connection broke"};
}

}  // namespace cvp::tls
