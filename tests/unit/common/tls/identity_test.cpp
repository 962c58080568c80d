#include "common/tls/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/crypto/openssl.hpp"
#include "common/crypto/x509_maker.hpp"
#include "common/tls/context.hpp"

namespace cvp::tls {
namespace {

using namespace std::chrono_literals;
using crypto::CertificateAndKey;
using crypto::Freeing;
using crypto::issue_ca;
using crypto::issue_intermediate_ca;
using crypto::issue_leaf;
using crypto::LeafRequest;
using crypto::Validity;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

using SslPtr = std::unique_ptr<SSL, Freeing<SSL_free>>;

CertificateAndKey make_ca(const std::string& name = "test CA") {
    return issue_ca({name, Validity::from_now(24h)}).value();
}

LeafRequest leaf_for(std::vector<std::string> ips, std::vector<std::string> names = {}) {
    LeafRequest request;
    request.common_name = "valkey";
    request.ip_addresses = std::move(ips);
    request.dns_names = std::move(names);
    request.validity = Validity::from_now(1h);
    return request;
}

ServerOptions shows(const CertificateAndKey& leaf) {
    return {leaf.certificate_pem, leaf.key_pem, {}};
}

ClientOptions trusts(const std::string& ca_pem) {
    ClientOptions options;
    options.ca_pem = ca_pem;
    return options;
}

/// One step of a handshake; 0 while it is under way or done, else OpenSSL's error.
unsigned long step(SSL* ssl, bool& done) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl);
    done = result == 1;
    const int what = SSL_get_error(ssl, result);
    return done || what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE ? 0 : ERR_get_error();
}

/// What a client finds that dials `host` and meets such a server; both ends in memory.
tl::expected<VerifiedPeer, Failure> meet(SSL_CTX* server_context, const std::string& host, const ClientOptions& options,
                                         std::string* sni = nullptr) {
    const auto client_context = make_client_context(options).value();
    const SslPtr client(SSL_new(client_context.native()));
    const SslPtr server(SSL_new(server_context));
    BIO* ends[2] = {};
    BIO_new_bio_pair(&ends[0], 0, &ends[1], 0);
    SSL_set_bio(client.get(), ends[0], ends[0]);
    SSL_set_bio(server.get(), ends[1], ends[1]);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    set_server_name(client.get(), host, options);
    bool client_done = false;
    bool server_done = false;
    for (int round = 0; round < 10 && !(client_done && server_done); ++round) {
        if (const auto error = step(client.get(), client_done); error != 0) {
            return tl::unexpected(explain_handshake(client.get(), error));
        }
        step(server.get(), server_done);
    }
    const char* name = SSL_get_servername(server.get(), TLSEXT_NAMETYPE_host_name);
    if (sni != nullptr) *sni = name == nullptr ? "" : name;
    return verify_peer(client.get(), host, options);
}

tl::expected<VerifiedPeer, Failure> meet(const ServerOptions& server, const std::string& host,
                                         const ClientOptions& options, std::string* sni = nullptr) {
    return meet(make_server_context(server).value().native(), host, options, sni);
}

class TlsIdentity : public testing::Test {
protected:
    Failure refusal(const LeafRequest& request, const std::string& host, ClientOptions options = {}) {
        options.ca_pem = ca.certificate_pem;
        const auto peer = meet(shows(issue_leaf(request, ca).value()), host, options);
        return peer ? Failure{FailureKind::interrupted, "was accepted"} : peer.error();
    }

    std::string accepted_as(const LeafRequest& request, const std::string& host, ClientOptions options = {}) {
        options.ca_pem = ca.certificate_pem;
        const auto peer = meet(shows(issue_leaf(request, ca).value()), host, options);
        return peer ? peer->identity : peer.error().sentence;
    }

    CertificateAndKey ca = make_ca();
};

TEST_F(TlsIdentity, the_dialled_address_is_the_identity_by_default) {
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), ca).value();
    const auto peer = meet(shows(leaf), "10.0.0.3", trusts(ca.certificate_pem));
    ASSERT_TRUE(peer) << peer.error().sentence;
    EXPECT_EQ(peer->identity, "ip:10.0.0.3");
    EXPECT_EQ(peer->tls_version, "TLSv1.3");
    EXPECT_FALSE(peer->resumed);
    EXPECT_EQ(peer->to_string(), "TLSv1.3, verified ip:10.0.0.3");
}

TEST_F(TlsIdentity, another_instance_under_the_same_ca_is_refused) {
    const auto failure = refusal(leaf_for({"10.0.0.4"}, {"other.example"}), "10.0.0.3");
    EXPECT_EQ(failure, (Failure{FailureKind::identity,
                                "the certificate is for dns:other.example, ip:10.0.0.4, want ip:10.0.0.3"}));
    EXPECT_EQ(to_error(failure).code, ErrorCode::tls_failed);
    EXPECT_THAT(to_error(failure).context, StartsWith("TLS identity: the certificate is for"));
}

TEST_F(TlsIdentity, any_of_the_given_identities_will_do) {
    ClientOptions options;
    options.identities = {"ip:10.0.0.9", "dns:sessions.example"};
    EXPECT_EQ(accepted_as(leaf_for({}, {"sessions.example"}), "127.0.0.1", options), "dns:sessions.example");
    EXPECT_EQ(accepted_as(leaf_for({"10.0.0.9"}), "127.0.0.1", options), "ip:10.0.0.9");
    EXPECT_EQ(refusal(leaf_for({"127.0.0.1"}), "127.0.0.1", options).sentence,
              "the certificate is for ip:127.0.0.1, want ip:10.0.0.9 or dns:sessions.example");
}

TEST_F(TlsIdentity, the_server_name_replaces_the_dialled_host) {
    ClientOptions options;
    options.server_name = "sessions.example";
    EXPECT_EQ(accepted_as(leaf_for({}, {"sessions.example"}), "127.0.0.1", options), "dns:sessions.example");
    EXPECT_EQ(refusal(leaf_for({"127.0.0.1"}), "127.0.0.1", options).kind, FailureKind::identity);
}

TEST_F(TlsIdentity, a_common_name_is_no_identity) {
    auto request = leaf_for({});
    request.common_name = "sessions.example";
    const auto failure = refusal(request, "sessions.example");
    EXPECT_EQ(failure.kind, FailureKind::identity);
    EXPECT_THAT(failure.sentence, HasSubstr("names no identity (it has no subjectAltName)"));
}

TEST_F(TlsIdentity, a_wildcard_stands_for_one_whole_label) {
    EXPECT_EQ(accepted_as(leaf_for({}, {"*.example.com"}), "a.example.com"), "dns:a.example.com");
    EXPECT_EQ(refusal(leaf_for({}, {"*.example.com"}), "a.b.example.com").kind, FailureKind::identity);
    EXPECT_EQ(refusal(leaf_for({}, {"*.example.com"}), "example.com").kind, FailureKind::identity);
    EXPECT_EQ(refusal(leaf_for({}, {"a*.example.com"}), "ab.example.com").kind, FailureKind::identity);
}

TEST_F(TlsIdentity, names_compare_without_case_and_final_dot_and_addresses_by_value) {
    EXPECT_EQ(accepted_as(leaf_for({}, {"A.Example.com"}), "a.example.COM."), "dns:a.example.COM");
    EXPECT_EQ(accepted_as(leaf_for({"fd00::1"}), "fd00:0:0::1"), "ip:fd00:0:0::1");
}

TEST_F(TlsIdentity, a_name_that_looks_like_the_address_is_not_the_address) {
    EXPECT_EQ(refusal(leaf_for({}, {"10.0.0.3"}), "10.0.0.3").kind, FailureKind::identity);
}

TEST_F(TlsIdentity, text_of_a_foreign_certificate_is_made_printable) {
    const auto failure = refusal(leaf_for({}, {"evil\r\n-ERR x", std::string(500, 'a')}), "10.0.0.3");
    EXPECT_THAT(failure.sentence, HasSubstr("dns:evil??"
                                            "-ERR x"));
    EXPECT_LT(failure.sentence.size(), 300U);
}

TEST_F(TlsIdentity, chain_only_takes_any_identity_but_no_foreign_ca) {
    ClientOptions options;
    options.verify = Verify::chain_only;
    EXPECT_EQ(accepted_as(leaf_for({"10.0.0.4"}), "10.0.0.3", options), "");
    options.ca_pem = make_ca().certificate_pem;
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), ca).value();
    EXPECT_EQ(meet(shows(leaf), "10.0.0.3", options).error().kind, FailureKind::chain);
}

TEST_F(TlsIdentity, verify_none_takes_everything_and_says_so) {
    ClientOptions options;
    options.verify = Verify::none;
    const auto peer = meet(shows(issue_leaf(leaf_for({"10.0.0.4"}), ca).value()), "10.0.0.3", options);
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->to_string(), "TLSv1.3, identity not verified");
}

TEST_F(TlsIdentity, sni_is_sent_for_names_only) {
    std::string sni;
    auto options = trusts(ca.certificate_pem);
    const auto server = shows(issue_leaf(leaf_for({"10.0.0.3"}, {"a.example"}), ca).value());
    meet(server, "a.example", options, &sni);
    EXPECT_EQ(sni, "a.example");
    meet(server, "10.0.0.3", options, &sni);
    EXPECT_EQ(sni, "");
    options.server_name = "a.example";
    meet(server, "10.0.0.3", options, &sni);
    EXPECT_EQ(sni, "a.example");
}

class TlsChain : public TlsIdentity {};

TEST_F(TlsChain, a_foreign_ca_is_refused_and_named) {
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), make_ca("foreign CA")).value();
    EXPECT_EQ(meet(shows(leaf), "10.0.0.3", trusts(ca.certificate_pem)).error(),
              (Failure{FailureKind::chain, "the certificate's CA is not a trusted one: CN=foreign CA"}));
}

TEST_F(TlsChain, a_ca_of_the_same_name_with_another_key_is_foreign) {
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), make_ca("test CA")).value();
    EXPECT_EQ(meet(shows(leaf), "10.0.0.3", trusts(ca.certificate_pem)).error().kind, FailureKind::chain);
}

TEST_F(TlsChain, without_a_ca_nobody_is_trusted) {
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), ca).value();
    EXPECT_EQ(meet(shows(leaf), "10.0.0.3", ClientOptions{}).error(),
              (Failure{FailureKind::chain, "no CA certificate is given that could be trusted"}));
}

TEST_F(TlsChain, an_expired_certificate_is_refused_with_its_date) {
    using std::chrono::sys_days;
    auto request = leaf_for({"10.0.0.3"});
    request.validity = {sys_days(std::chrono::year(2024) / 1 / 1), sys_days(std::chrono::year(2025) / 1 / 1)};
    EXPECT_EQ(refusal(request, "10.0.0.3"),
              (Failure{FailureKind::chain, "the certificate expired 2025-01-01T00:00:00Z"}));
    request.validity = {sys_days(std::chrono::year(2199) / 1 / 1), sys_days(std::chrono::year(2200) / 1 / 1)};
    EXPECT_EQ(refusal(request, "10.0.0.3"),
              (Failure{FailureKind::chain, "the certificate is not valid before 2199-01-01T00:00:00Z"}));
}

TEST_F(TlsChain, an_expired_ca_is_named) {
    using std::chrono::sys_days;
    const auto old =
        issue_ca({"old CA", {sys_days(std::chrono::year(2024) / 1 / 1), sys_days(std::chrono::year(2025) / 1 / 1)}})
            .value();
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), old).value();
    EXPECT_EQ(meet(shows(leaf), "10.0.0.3", trusts(old.certificate_pem)).error().sentence,
              "the CA certificate CN=old CA expired 2025-01-01T00:00:00Z");
}

TEST_F(TlsChain, a_client_certificate_is_no_server_certificate) {
    auto request = leaf_for({"10.0.0.3"});
    request.server_auth = false;
    request.client_auth = true;
    EXPECT_EQ(refusal(request, "10.0.0.3"),
              (Failure{FailureKind::chain, "the certificate is not meant for a server (extended key usage)"}));
}

TEST_F(TlsChain, intermediates_may_come_from_the_server_or_be_anchors) {
    const auto middle = issue_intermediate_ca({"middle", Validity::from_now(1h)}, ca).value();
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), middle).value();
    const ServerOptions whole{leaf.certificate_pem + middle.certificate_pem, leaf.key_pem, {}};
    EXPECT_TRUE(meet(whole, "10.0.0.3", trusts(ca.certificate_pem)));
    EXPECT_TRUE(meet(shows(leaf), "10.0.0.3", trusts(middle.certificate_pem)));
    EXPECT_TRUE(meet(shows(leaf), "10.0.0.3", trusts(ca.certificate_pem + middle.certificate_pem)));
    EXPECT_FALSE(meet(shows(leaf), "10.0.0.3", trusts(ca.certificate_pem)));
}

TEST_F(TlsChain, a_server_of_old_versions_only_is_refused) {
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), ca).value();
    const auto server = make_server_context(shows(leaf)).value();
    SSL_CTX_set_security_level(server.native(), 0);
    SSL_CTX_set_min_proto_version(server.native(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server.native(), TLS1_1_VERSION);
    EXPECT_EQ(meet(server.native(), "10.0.0.3", trusts(ca.certificate_pem)).error(),
              (Failure{FailureKind::version, "the server has no TLS version that we allow"}));
}

TEST_F(TlsChain, tls_1_2_is_taken_unless_1_3_is_asked_for) {
    const auto server = make_server_context(shows(issue_leaf(leaf_for({"10.0.0.3"}), ca).value())).value();
    SSL_CTX_set_max_proto_version(server.native(), TLS1_2_VERSION);
    auto options = trusts(ca.certificate_pem);
    EXPECT_EQ(meet(server.native(), "10.0.0.3", options)->tls_version, "TLSv1.2");
    options.min_version = MinVersion::tls1_3;
    EXPECT_EQ(meet(server.native(), "10.0.0.3", options).error().kind, FailureKind::version);
}

TEST(TlsContext, names_the_part_that_is_wrong) {
    const auto ca = make_ca();
    const auto leaf = issue_leaf(leaf_for({"10.0.0.3"}), ca).value();
    EXPECT_EQ(make_client_context(trusts("nonsense")).error().context, "CA: holds no PEM certificate");
    ClientOptions client;
    client.identities = {"10.0.0.3"};
    EXPECT_THAT(make_client_context(client).error().context, HasSubstr("identities: \"10.0.0.3\" must read ip:"));
    client.identities.clear();
    client.certificate_pem = leaf.certificate_pem;
    EXPECT_THAT(make_client_context(client).error().context, HasSubstr("client certificate: key: "));
    EXPECT_EQ(make_server_context({"", leaf.key_pem, ""}).error().context, "certificate: holds no PEM certificate");
    EXPECT_THAT(make_server_context({leaf.certificate_pem, ca.key_pem, ""}).error(),
                AllOf(testing::Field(&Error::code, ErrorCode::invalid_argument),
                      testing::Field(&Error::context, "certificate and key: private key mismatch")));
    EXPECT_THAT(make_server_context({leaf.certificate_pem, leaf.key_pem, "x"}).error().context, HasSubstr("client CA"));
}

TEST(TlsContext, an_identity_must_be_an_address_or_a_whole_name) {
    for (const char* good : {"ip:10.0.0.3", "ip:fd00::1", "dns:a.example"})
        EXPECT_TRUE(check_identity_form(good));
    for (const char* bad : {"", "ip:", "ip:a.example", "dns:", "dns:.example", "uri:x"}) {
        EXPECT_FALSE(check_identity_form(bad)) << bad;
    }
}

TEST(TlsFailure, a_broken_connection_may_be_tried_again_and_a_refusal_not) {
    const auto context = make_client_context({}).value();
    const SslPtr ssl(SSL_new(context.native()));
    EXPECT_EQ(to_error(explain_handshake(ssl.get(), 0)).code, ErrorCode::unavailable);
    const auto not_tls = explain_handshake(ssl.get(), ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER));
    EXPECT_EQ(to_error(not_tls), (Error{ErrorCode::tls_failed, "TLS handshake: the server does not speak TLS"}));
}

TEST(TlsFailure, about_our_own_certificate_is_told_as_such) {
    const auto context = make_client_context({}).value();
    const SslPtr ssl(SSL_new(context.native()));
    const auto required = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
    const auto unknown_ca = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV1_ALERT_UNKNOWN_CA);
    for (const auto& failure : {explain_break(required), explain_handshake(ssl.get(), required)}) {
        EXPECT_EQ(failure.kind, FailureKind::handshake);
        EXPECT_THAT(failure.sentence, HasSubstr("demands a client certificate"));
    }
    EXPECT_THAT(explain_break(unknown_ca).sentence,
                AllOf(HasSubstr("our client certificate"), HasSubstr("unknown ca")));
    EXPECT_EQ(explain_break(0), (Failure{FailureKind::interrupted, "the TLS connection broke"}));
}

}  // namespace
}  // namespace cvp::tls
