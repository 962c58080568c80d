#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/result.hpp"
#include "common/secret.hpp"

/// Owners and readers of OpenSSL objects: for common/crypto, common/tls and proxy/loop only.
namespace cvp::crypto {

template <auto Free>
struct Freeing {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using BioPtr = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freeing<X509_free>>;

/// Takes the oldest error off this thread's OpenSSL queue and empties it. Never empty: "unknown error" at least.
std::string take_openssl_error();

/// All certificates of a PEM text, in order; other PEM blocks and text between them are skipped.
/// @errors invalid_argument if there is none, or if one cannot be read (the context gives its position)
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem);

/// The first private key of a PEM text. An encrypted one is refused, never asked about on a terminal.
/// @errors invalid_argument
Result<KeyPtr> read_private_key(const Secret& pem);

/// The time as our clock has it; what lies beyond its range (year 2262, as in "99991231235959Z") becomes its end.
std::chrono::system_clock::time_point time_point_of(const ASN1_TIME* time);

/// "2026-01-01T00:00:00Z".
std::string rfc3339(const ASN1_TIME* time);

/// RFC 2253 form in UTF-8, control characters escaped: "CN=name,O=organisation".
std::string name_text(const X509_NAME* name);

/// Identities of a certificate's subjectAltName as "dns:name" and "ip:address", in order. Other kinds are skipped.
std::vector<std::string> identities_of(const X509* certificate);

}  // namespace cvp::crypto
