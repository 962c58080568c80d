#include "common/crypto/openssl.hpp"

#include <algorithm>
#include <climits>
#include <ctime>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace cvp::crypto {
namespace {

// Without it OpenSSL would ask for a passphrase on the terminal.
int refuse_passphrase(char*, int, int, void*) {
    return -1;
}

BioPtr reader_of(std::string_view text) {
    if (text.size() > INT_MAX) return nullptr;
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of_ip(const ASN1_OCTET_STRING* octets) {
    const int length = ASN1_STRING_length(octets);
    const int family = length == 4 ? AF_INET : AF_INET6;
    char text[INET6_ADDRSTRLEN] = {};
    if (length != 4 && length != 16) return {};
    return ::inet_ntop(family, ASN1_STRING_get0_data(octets), text, sizeof text) == nullptr ? "" : text;
}

}  // namespace

std::string take_openssl_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason == nullptr ? "unknown error" : reason;
}

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
    const auto bio = reader_of(pem);
    std::vector<X509Ptr> certificates;
    ERR_clear_error();
    while (bio != nullptr) {
        X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, refuse_passphrase, nullptr));
        if (certificate == nullptr) break;
        certificates.push_back(std::move(certificate));
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto reason = take_openssl_error();
    if (!at_end) {
        return fail(ErrorCode::invalid_argument,
                    "certificate " + std::to_string(certificates.size() + 1) + " cannot be read: " + reason);
    }
    if (certificates.empty()) return fail(ErrorCode::invalid_argument, "holds no PEM certificate");
    return certificates;
}

Result<KeyPtr> read_private_key(const Secret& pem) {
    const auto bio = reader_of(pem.reveal());
    ERR_clear_error();
    KeyPtr key(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, nullptr));
    if (key == nullptr) {
        return fail(ErrorCode::invalid_argument, "the private key cannot be read: " + take_openssl_error());
    }
    return key;
}

std::chrono::system_clock::time_point time_point_of(const ASN1_TIME* time) {
    using Clock = std::chrono::system_clock;
    constexpr auto earliest = std::chrono::ceil<std::chrono::seconds>(Clock::time_point::min());
    constexpr auto latest = std::chrono::floor<std::chrono::seconds>(Clock::time_point::max());
    std::tm utc{};
    if (ASN1_TIME_to_tm(time, &utc) != 1) return {};
    const std::chrono::sys_seconds at{std::chrono::seconds(::timegm(&utc))};
    return std::clamp(at, earliest, latest);
}

std::string rfc3339(const ASN1_TIME* time) {
    std::tm utc{};
    char text[32];
    if (ASN1_TIME_to_tm(time, &utc) != 1) return "an unreadable time";
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string name_text(const X509_NAME* name) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* data = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}

std::vector<std::string> identities_of(const X509* certificate) {
    std::vector<std::string> identities;
    const std::unique_ptr<GENERAL_NAMES, Freeing<GENERAL_NAMES_free>> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int type = 0;
        const auto* value =
            static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
        if (type == GEN_DNS) {
            identities.emplace_back("dns:").append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                                   static_cast<std::size_t>(ASN1_STRING_length(value)));
        } else if (type == GEN_IPADD) {
            identities.push_back("ip:" + text_of_ip(value));
        }
    }
    return identities;
}

}  // namespace cvp::crypto
