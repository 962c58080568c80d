#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace cvp::crypto {

/// What logs, status fields and renewals need to know of a certificate.
struct CertificateFacts {
    std::string subject;  ///< RFC 2253: "CN=name,O=organisation"
    std::string issuer;   ///< RFC 2253
    std::chrono::system_clock::time_point not_before;
    std::chrono::system_clock::time_point not_after;
    std::vector<std::string> identities;  ///< subjectAltName: "dns:name" and "ip:address"
    std::string sha256;                   ///< fingerprint of the DER form: 64 hexadecimal digits, lower case
    bool is_ca = false;
};

/// Facts of every certificate in a PEM text, in order.
/// @errors invalid_argument if there is none or one cannot be read
Result<std::vector<CertificateFacts>> parse_certificates(std::string_view pem);

/// Facts of the first certificate in a PEM text (a leaf followed by its chain).
/// @errors invalid_argument
Result<CertificateFacts> parse_certificate(std::string_view pem);

/// Checks that the private key belongs to the first certificate of the PEM text.
/// @errors invalid_argument if they do not fit or one cannot be read
Result<void> check_key_fits(std::string_view certificate_pem, const Secret& key_pem);

/// Checks that the first certificate is signed, directly or through the certificates after it, by one of `ca_pem`.
/// Validity times are not looked at.
/// @errors invalid_argument if one cannot be read; not_found if no given CA signed it
Result<void> check_signed_by(std::string_view certificate_pem, std::string_view ca_pem);

}  // namespace cvp::crypto
