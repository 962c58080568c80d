#include "common/crypto/x509_maker.hpp"

#include <algorithm>
#include <optional>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/crypto/openssl.hpp"

namespace cvp::crypto {
namespace {

using BignumPtr = std::unique_ptr<BIGNUM, Freeing<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Freeing<GENERAL_NAMES_free>>;

constexpr std::size_t kMaxCommonName = 64;  // ub-common-name, RFC 5280 appendix A

/// Who signs: its certificate (nothing: self-signed) and its key.
struct Signer {
    X509Ptr certificate;
    KeyPtr key;
};

tl::unexpected<Error> openssl_failed(std::string doing) {
    return fail(ErrorCode::internal, std::move(doing) + ": " + take_openssl_error());
}

Result<Signer> read_signer(const CertificateAndKey& issuer) {
    auto certificates = read_certificates(issuer.certificate_pem);
    if (!certificates) return fail(ErrorCode::invalid_argument, "issuer: " + certificates.error().context);
    auto key = read_private_key(issuer.key_pem);
    if (!key) return fail(ErrorCode::invalid_argument, "issuer: " + key.error().context);
    return Signer{std::move(certificates->front()), std::move(*key)};
}

bool set_random_serial(X509* certificate) {
    const BignumPtr serial(BN_new());
    return BN_rand(serial.get(), 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, const Validity& validity) {
    const auto begin = std::chrono::system_clock::to_time_t(validity.not_before);
    const auto end = std::chrono::system_clock::to_time_t(validity.not_after);
    return ASN1_TIME_set(X509_getm_notBefore(certificate), begin) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr;
}

/// Adds an attribute of the subject, unless it is empty.
bool add_attribute(X509* certificate, int nid, const std::string& text) {
    return text.empty() || X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), nid, MBSTRING_UTF8,
                                                      reinterpret_cast<const unsigned char*>(text.data()),
                                                      static_cast<int>(text.size()), -1, 0) == 1;
}

/// Adds an extension by its text in OpenSSL's configuration grammar. Texts are ours, never a user's.
bool add_extension(X509* certificate, X509* issuer, int nid, const char* text) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, text));
    return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
    GENERAL_NAME* name = value == nullptr ? nullptr : GENERAL_NAME_new();
    if (name == nullptr) return false;
    GENERAL_NAME_set0_value(name, type, value);
    return sk_GENERAL_NAME_push(names, name) > 0;
}

Result<GeneralNamesPtr> build_alternative_names(const LeafRequest& request) {
    GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
    for (const auto& dns : request.dns_names) {
        ASN1_IA5STRING* value = ASN1_IA5STRING_new();
        ASN1_STRING_set(value, dns.data(), static_cast<int>(dns.size()));
        if (dns.empty() || !add_name(names.get(), GEN_DNS, value)) {
            return fail(ErrorCode::invalid_argument, "a DNS name must not be empty");
        }
    }
    for (const auto& ip : request.ip_addresses) {
        if (!add_name(names.get(), GEN_IPADD, a2i_IPADDRESS(ip.c_str()))) {
            take_openssl_error();
            return fail(ErrorCode::invalid_argument, "not an IP address: " + ip);
        }
    }
    return names;
}

/// What all certificates have: version, serial, times, names, key and the key identifiers.
bool fill_common(X509* certificate, X509* issuer, EVP_PKEY* key, const std::string& common_name,
                 const Validity& validity) {
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate) &&
           set_validity(certificate, validity) && add_attribute(certificate, NID_commonName, common_name) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

bool add_ca_extensions(X509* certificate) {
    return add_extension(certificate, nullptr, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, nullptr, NID_key_usage, "critical,keyCertSign,cRLSign");
}

bool add_organizations(X509* certificate, const std::vector<std::string>& organizations) {
    return std::all_of(organizations.begin(), organizations.end(), [&](const std::string& organization) {
        return add_attribute(certificate, NID_organizationName, organization);
    });
}

bool add_leaf_extensions(X509* certificate, const LeafRequest& request, const GENERAL_NAMES* names) {
    std::string usages = request.server_auth ? "serverAuth" : "";
    if (request.client_auth) usages += usages.empty() ? "clientAuth" : ",clientAuth";
    // X509_add1_ext_i2d() takes a void* that it only reads.
    auto* const alternatives = const_cast<GENERAL_NAMES*>(names);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    const bool critical = request.common_name.empty();             // RFC 5280 4.2.1.6: an empty subject asks for it
    return add_extension(certificate, nullptr, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, nullptr, NID_key_usage, "critical,digitalSignature") &&
           (usages.empty() || add_extension(certificate, nullptr, NID_ext_key_usage, usages.c_str())) &&
           (sk_GENERAL_NAME_num(names) == 0 || X509_add1_ext_i2d(certificate, NID_subject_alt_name, alternatives,
                                                                 critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1);
}

Result<CertificateAndKey> sign(X509* certificate, EVP_PKEY* signing_key, EVP_PKEY* own_key) {
    if (X509_sign(certificate, signing_key, EVP_sha256()) == 0) return openssl_failed("signing a certificate");
    const BioPtr text(BIO_new(BIO_s_mem()));
    const BioPtr key_text(BIO_new(BIO_s_secmem()));  // wiped when freed
    if (PEM_write_bio_X509(text.get(), certificate) != 1 ||
        PEM_write_bio_PrivateKey(key_text.get(), own_key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return openssl_failed("writing a certificate");
    }
    const auto content = [](BIO* bio) {
        char* data = nullptr;
        const auto length = BIO_get_mem_data(bio, &data);
        return std::string(data, static_cast<std::size_t>(length));
    };
    return CertificateAndKey{content(text.get()), Secret(content(key_text.get()))};
}

/// @param signer nothing: self-signed
Result<CertificateAndKey> issue_any_ca(const CaRequest& request, const std::optional<Signer>& signer) {
    if (request.common_name.empty() || request.common_name.size() > kMaxCommonName) {
        return fail(ErrorCode::invalid_argument, "the common name of a CA must have 1 to 64 characters");
    }
    const KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    X509* const issuer = signer ? signer->certificate.get() : certificate.get();
    if (key == nullptr || certificate == nullptr ||
        !fill_common(certificate.get(), issuer, key.get(), request.common_name, request.validity) ||
        !add_ca_extensions(certificate.get())) {
        return openssl_failed("building a CA certificate");
    }
    return sign(certificate.get(), signer ? signer->key.get() : key.get(), key.get());
}

}  // namespace

Validity Validity::from_now(std::chrono::system_clock::duration lifetime) {
    const auto now = std::chrono::system_clock::now();
    return {now - std::chrono::hours(1), now + lifetime};
}

Result<CertificateAndKey> issue_ca(const CaRequest& request) {
    return issue_any_ca(request, std::nullopt);
}

Result<CertificateAndKey> issue_intermediate_ca(const CaRequest& request, const CertificateAndKey& issuer) {
    auto signer = read_signer(issuer);
    if (!signer) return fail(std::move(signer).error());
    return issue_any_ca(request, std::move(*signer));
}

Result<CertificateAndKey> issue_leaf(const LeafRequest& request, const CertificateAndKey& issuer) {
    const auto signer = read_signer(issuer);
    if (!signer) return fail(signer.error());
    if (request.common_name.empty() && request.dns_names.empty() && request.ip_addresses.empty()) {
        return fail(ErrorCode::invalid_argument, "a leaf certificate needs a common name or a SAN");
    }
    if (request.common_name.size() > kMaxCommonName) {
        return fail(ErrorCode::invalid_argument, "the common name of a leaf must have at most 64 characters");
    }
    const auto names = build_alternative_names(request);
    if (!names) return fail(names.error());
    const KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    if (key == nullptr || certificate == nullptr ||
        !fill_common(certificate.get(), signer->certificate.get(), key.get(), request.common_name, request.validity) ||
        !add_organizations(certificate.get(), request.organizations) ||
        !add_leaf_extensions(certificate.get(), request, names->get())) {
        return openssl_failed("building a leaf certificate");
    }
    return sign(certificate.get(), signer->key.get(), key.get());
}

}  // namespace cvp::crypto
