#include "common/crypto/x509_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/crypto/certificate.hpp"
#include "common/crypto/openssl.hpp"

namespace cvp::crypto {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Validity kYear2030{sys_days(std::chrono::year(2030) / 1 / 1), sys_days(std::chrono::year(2031) / 1 / 1)};

CertificateAndKey make_ca(const std::string& name = "test CA") {
    return issue_ca({name, Validity::from_now(24h)}).value();
}

LeafRequest make_leaf_request() {
    LeafRequest request;
    request.common_name = "valkey";
    request.dns_names = {"a.example", "b.example"};
    request.ip_addresses = {"10.0.0.3", "fd00::3"};
    request.validity = Validity::from_now(1h);
    return request;
}

/// OpenSSL's own text of one extension, or "absent".
std::string extension_text(const std::string& pem, int nid) {
    const auto certificates = read_certificates(pem).value();
    const int at = X509_get_ext_by_NID(certificates.front().get(), nid, -1);
    if (at < 0) return "absent";
    X509_EXTENSION* extension = X509_get_ext(certificates.front().get(), at);
    const BioPtr bio(BIO_new(BIO_s_mem()));
    X509V3_EXT_print(bio.get(), extension, 0, 0);
    char* data = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &data);
    return (X509_EXTENSION_get_critical(extension) == 1 ? "critical " : "") +
           std::string(data, static_cast<std::size_t>(length));
}

TEST(X509Maker, a_ca_has_the_extensions_of_a_ca) {
    const auto ca = make_ca();
    EXPECT_EQ(extension_text(ca.certificate_pem, NID_basic_constraints), "critical CA:TRUE");
    EXPECT_EQ(extension_text(ca.certificate_pem, NID_key_usage), "critical Certificate Sign, CRL Sign");
    EXPECT_EQ(extension_text(ca.certificate_pem, NID_authority_key_identifier),
              extension_text(ca.certificate_pem, NID_subject_key_identifier));
    EXPECT_THAT(parse_certificate(ca.certificate_pem)->subject, "CN=test CA");
    EXPECT_TRUE(check_signed_by(ca.certificate_pem, ca.certificate_pem));
}

TEST(X509Maker, a_leaf_has_the_extensions_of_a_server) {
    const auto ca = make_ca();
    const auto leaf = issue_leaf(make_leaf_request(), ca).value();
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_basic_constraints), "critical CA:FALSE");
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_key_usage), "critical Digital Signature");
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_ext_key_usage), "TLS Web Server Authentication");
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_subject_alt_name),
              "DNS:a.example, DNS:b.example, IP Address:10.0.0.3, IP Address:FD00:0:0:0:0:0:0:3");
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_authority_key_identifier),
              extension_text(ca.certificate_pem, NID_subject_key_identifier));
}

TEST(X509Maker, a_leaf_without_a_subject_has_a_critical_san) {
    auto request = make_leaf_request();
    request.common_name.clear();
    request.ip_addresses.clear();
    const auto leaf = issue_leaf(request, make_ca()).value();
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_subject_alt_name), "critical DNS:a.example, DNS:b.example");
}

TEST(X509Maker, usages_can_be_chosen) {
    const auto ca = make_ca();
    auto request = make_leaf_request();
    request.client_auth = true;
    EXPECT_EQ(extension_text(issue_leaf(request, ca)->certificate_pem, NID_ext_key_usage),
              "TLS Web Server Authentication, TLS Web Client Authentication");
    request.server_auth = false;
    EXPECT_EQ(extension_text(issue_leaf(request, ca)->certificate_pem, NID_ext_key_usage),
              "TLS Web Client Authentication");
    request.client_auth = false;
    EXPECT_EQ(extension_text(issue_leaf(request, ca)->certificate_pem, NID_ext_key_usage), "absent");
}

TEST(X509Maker, a_leaf_may_have_a_name_and_no_san) {
    LeafRequest request;
    request.common_name = "only.example";
    request.validity = kYear2030;
    const auto leaf = issue_leaf(request, make_ca()).value();
    EXPECT_EQ(extension_text(leaf.certificate_pem, NID_subject_alt_name), "absent");
    const auto facts = parse_certificate(leaf.certificate_pem).value();
    EXPECT_EQ(facts.subject, "CN=only.example");
    EXPECT_TRUE(facts.identities.empty());
}

TEST(X509Maker, a_client_s_groups_are_its_organizations) {
    LeafRequest request;
    request.common_name = "admin";
    request.organizations = {"system:masters", "second"};
    request.validity = kYear2030;
    const auto leaf = issue_leaf(request, make_ca()).value();
    EXPECT_EQ(parse_certificate(leaf.certificate_pem)->subject, "O=second,O=system:masters,CN=admin");
}

TEST(X509Maker, serials_differ) {
    const auto serial = [](const CertificateAndKey& made) {
        const auto certificates = read_certificates(made.certificate_pem).value();
        const auto* number = X509_get0_serialNumber(certificates.front().get());
        return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(number)),
                           static_cast<std::size_t>(ASN1_STRING_length(number)));
    };
    EXPECT_NE(serial(make_ca()), serial(make_ca()));
    EXPECT_GE(serial(make_ca()).size(), 12U);
}

TEST(X509Maker, refuses_requests_that_make_no_sense) {
    const auto ca = make_ca();
    EXPECT_EQ(issue_ca({"", kYear2030}).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(issue_ca({std::string(65, 'x'), kYear2030}).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(issue_leaf(LeafRequest{}, ca).error().context, "a leaf certificate needs a common name or a SAN");
    auto request = make_leaf_request();
    request.ip_addresses = {"10.0.0.300"};
    EXPECT_EQ(issue_leaf(request, ca).error(), (Error{ErrorCode::invalid_argument, "not an IP address: 10.0.0.300"}));
    EXPECT_THAT(issue_leaf(make_leaf_request(), {"", ca.key_pem}).error().context, HasSubstr("issuer: "));
    EXPECT_THAT(issue_leaf(make_leaf_request(), {ca.certificate_pem, Secret("x")}).error().context,
                HasSubstr("issuer: the private key cannot be read"));
}

TEST(Certificate, facts_say_what_was_asked_for) {
    auto request = make_leaf_request();
    request.validity = kYear2030;
    const auto leaf = issue_leaf(request, make_ca("Zürich CA")).value();
    const auto facts = parse_certificate(leaf.certificate_pem).value();
    EXPECT_EQ(facts.subject, "CN=valkey");
    EXPECT_EQ(facts.issuer, "CN=Zürich CA");
    EXPECT_EQ(facts.not_before, kYear2030.not_before);
    EXPECT_EQ(facts.not_after, kYear2030.not_after);
    EXPECT_THAT(facts.identities, ElementsAre("dns:a.example", "dns:b.example", "ip:10.0.0.3", "ip:fd00::3"));
    EXPECT_EQ(facts.sha256.size(), 64U);
    EXPECT_FALSE(facts.is_ca);
}

TEST(Certificate, times_beyond_our_clock_become_its_end) {
    // RFC 5280 4.1.2.5: "no well-defined expiration date"
    const std::unique_ptr<ASN1_TIME, Freeing<ASN1_TIME_free>> never(ASN1_TIME_new());
    ASN1_TIME_set_string(never.get(), "99991231235959Z");
    EXPECT_GT(time_point_of(never.get()), sys_days(std::chrono::year(2262) / 1 / 1));
    ASN1_TIME_set_string(never.get(), "00010101000000Z");
    EXPECT_LT(time_point_of(never.get()), sys_days(std::chrono::year(1678) / 1 / 1));
}

TEST(Certificate, all_of_a_bundle_are_read_whatever_stands_between) {
    const auto one = make_ca("one");
    const auto two = make_ca("two");
    const auto facts =
        parse_certificates("text\n" + one.certificate_pem + std::string(one.key_pem.reveal()) + two.certificate_pem);
    ASSERT_TRUE(facts);
    ASSERT_EQ(facts->size(), 2U);
    EXPECT_EQ((*facts)[0].subject, "CN=one");
    EXPECT_EQ((*facts)[1].subject, "CN=two");
    EXPECT_TRUE((*facts)[1].is_ca);
    EXPECT_NE((*facts)[0].sha256, (*facts)[1].sha256);
}

TEST(Certificate, a_broken_or_missing_one_is_named) {
    EXPECT_EQ(parse_certificates("").error().context, "holds no PEM certificate");
    EXPECT_EQ(parse_certificates("no pem").error().context, "holds no PEM certificate");
    auto broken = make_ca().certificate_pem;
    broken[100] = '!';
    EXPECT_THAT(parse_certificates(make_ca().certificate_pem + broken).error().context,
                HasSubstr("certificate 2 cannot be read: "));
    EXPECT_THAT(parse_certificates(make_ca().certificate_pem.substr(0, 200)).error().context,
                HasSubstr("certificate 1 cannot be read: "));
}

TEST(Certificate, a_key_fits_only_its_own_certificate) {
    const auto one = make_ca();
    const auto two = make_ca();
    EXPECT_TRUE(check_key_fits(one.certificate_pem, one.key_pem));
    EXPECT_FALSE(check_key_fits(one.certificate_pem, two.key_pem));
}

TEST(Certificate, is_signed_by_its_ca_only_directly_or_through_its_chain) {
    const auto root = make_ca("root");
    const auto middle = issue_intermediate_ca({"middle", Validity::from_now(1h)}, root).value();
    auto request = make_leaf_request();
    request.validity = {Validity::from_now(0h).not_before - 48h, Validity::from_now(0h).not_before - 24h};
    const auto leaf = issue_leaf(request, middle).value();
    EXPECT_TRUE(check_signed_by(leaf.certificate_pem + middle.certificate_pem, root.certificate_pem));
    EXPECT_TRUE(check_signed_by(leaf.certificate_pem, make_ca().certificate_pem + middle.certificate_pem));
    EXPECT_EQ(check_signed_by(leaf.certificate_pem, root.certificate_pem).error().code, ErrorCode::not_found);
    EXPECT_EQ(
        check_signed_by(leaf.certificate_pem + middle.certificate_pem, make_ca("root").certificate_pem).error().code,
        ErrorCode::not_found);
}

TEST(PrivateKey, an_encrypted_one_is_refused_without_asking) {
    const auto key = read_private_key(make_ca().key_pem).value();
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_256_cbc(), "pass", 4, nullptr, nullptr);
    char* data = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &data);
    EXPECT_FALSE(read_private_key(Secret(std::string(data, static_cast<std::size_t>(length)))));
}

}  // namespace
}  // namespace cvp::crypto
