#include "common/crypto/certificate.hpp"

#include <openssl/x509v3.h>

#include "common/crypto/openssl.hpp"

namespace cvp::crypto {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, Freeing<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Freeing<X509_STORE_CTX_free>>;
// The stack does not own its certificates.
using X509StackPtr = std::unique_ptr<STACK_OF(X509), Freeing<[](STACK_OF(X509) * stack) { sk_X509_free(stack); }>>;

std::string sha256_of(const X509* certificate) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509_digest(certificate, EVP_sha256(), digest, &length);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < length; ++i) {
        text.push_back(digits[digest[i] >> 4]);
        text.push_back(digits[digest[i] & 0xF]);
    }
    return text;
}

CertificateFacts facts_of(X509* certificate) {
    CertificateFacts facts;
    facts.subject = name_text(X509_get_subject_name(certificate));
    facts.issuer = name_text(X509_get_issuer_name(certificate));
    facts.not_before = time_point_of(X509_get0_notBefore(certificate));
    facts.not_after = time_point_of(X509_get0_notAfter(certificate));
    facts.identities = identities_of(certificate);
    facts.sha256 = sha256_of(certificate);
    facts.is_ca = X509_check_ca(certificate) != 0;
    return facts;
}

}  // namespace

Result<std::vector<CertificateFacts>> parse_certificates(std::string_view pem) {
    const auto certificates = read_certificates(pem);
    if (!certificates) return fail(certificates.error());
    std::vector<CertificateFacts> facts;
    for (const auto& certificate : *certificates)
        facts.push_back(facts_of(certificate.get()));
    return facts;
}

Result<CertificateFacts> parse_certificate(std::string_view pem) {
    const auto certificates = read_certificates(pem);
    if (!certificates) return fail(certificates.error());
    return facts_of(certificates->front().get());
}

Result<void> check_key_fits(std::string_view certificate_pem, const Secret& key_pem) {
    const auto certificates = read_certificates(certificate_pem);
    if (!certificates) return fail(certificates.error());
    const auto key = read_private_key(key_pem);
    if (!key) return fail(key.error());
    if (X509_check_private_key(certificates->front().get(), key->get()) != 1) {
        take_openssl_error();
        return fail(ErrorCode::invalid_argument, "the private key is not that of the certificate");
    }
    return {};
}

Result<void> check_signed_by(std::string_view certificate_pem, std::string_view ca_pem) {
    const auto chain = read_certificates(certificate_pem);
    if (!chain) return fail(chain.error());
    const auto authorities = read_certificates(ca_pem);
    if (!authorities) return fail(authorities.error());
    const StorePtr store(X509_STORE_new());
    for (const auto& authority : *authorities)
        X509_STORE_add_cert(store.get(), authority.get());
    const X509StackPtr intermediates(sk_X509_new_null());
    for (const auto& certificate : *chain)
        sk_X509_push(intermediates.get(), certificate.get());
    const StoreContextPtr context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), chain->front().get(), intermediates.get());
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    if (X509_verify_cert(context.get()) != 1) {
        const int reason = X509_STORE_CTX_get_error(context.get());
        return fail(ErrorCode::not_found,
                    std::string("not signed by the given CA: ") + X509_verify_cert_error_string(reason));
    }
    return {};
}

}  // namespace cvp::crypto
