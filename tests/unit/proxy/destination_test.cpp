#include "proxy/destination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/login.hpp"
#include "tests/unit/proxy/sample_document.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

LocalError local_error(const Document& document, EndpointRole role) {
    const auto destination = build_destination(document, role, nullptr);
    const auto* error = std::get_if<LocalError>(&destination.to);
    if (error == nullptr) {
        ADD_FAILURE() << "it would be dialled";
        return {};
    }
    return *error;
}

TEST(Destination, is_the_endpoint_with_its_tls_and_login) {
    const auto login = std::make_shared<PasswordLogin>(Secret("p"), "");
    auto document = sample_document();
    document.connection.tls.min_version = tls::MinVersion::tls1_3;
    document.connection.tls.server_name = "valkey.example";
    document.connection.proxy.connect_hold = 700ms;
    document.connection.proxy.max_connections = 12;
    const auto destination = build_destination(document, EndpointRole::primary, login);
    EXPECT_EQ(destination.connect_hold, 700ms);
    EXPECT_EQ(destination.max_connections, 12u);
    const auto& target = std::get<Target>(destination.to);
    EXPECT_EQ(target.endpoint, (Endpoint{EndpointRole::primary, "10.0.0.3", 6379}));
    EXPECT_EQ(target.username, "default");
    EXPECT_EQ(target.login, login);
    tls::ClientOptions options;
    options.min_version = tls::MinVersion::tls1_3;
    options.ca_pem = sample_ca();
    options.server_name = "valkey.example";
    options.identities = {"ip:10.0.0.3"};
    EXPECT_EQ(target.tls, options);
}

TEST(Destination, shows_the_documents_certificate) {
    auto document = sample_document();
    document.certificate = ClientCertificate{"certificate", Secret("key")};
    const auto destination = build_destination(document, EndpointRole::primary, nullptr);
    const auto& tls = std::get<Target>(destination.to).tls;
    ASSERT_TRUE(tls);
    EXPECT_EQ(tls->certificate_pem, "certificate");
    EXPECT_EQ(tls->key_pem, Secret("key"));
}

TEST(Destination, without_tls_is_plain) {
    auto document = sample_document();
    document.connection.tls = {};
    document.connection.tls.mode = TlsMode::disabled;
    const auto destination = build_destination(document, EndpointRole::primary, nullptr);
    EXPECT_FALSE(std::get<Target>(destination.to).tls);
}

TEST(Destination, of_readers_is_a_reader_or_says_that_there_is_none) {
    auto document = sample_document();
    EXPECT_EQ(local_error(document, EndpointRole::reader).cause, Cause::no_reader);
    document.connection.endpoints.push_back({EndpointRole::reader, "10.0.0.4", 6380});
    const auto destination = build_destination(document, EndpointRole::reader, nullptr);
    EXPECT_EQ(std::get<Target>(destination.to).endpoint.host, "10.0.0.4");
}

TEST(Destination, of_a_cluster_is_never_dialled) {
    auto document = sample_document();
    document.connection.topology = Topology::cluster;
    for (const auto role : {EndpointRole::primary, EndpointRole::reader}) {
        EXPECT_EQ(local_error(document, role).cause, Cause::cluster_mode_not_supported);
        EXPECT_FALSE(local_error(document, role).transient);
    }
}

TEST(Destination, without_a_ca_to_verify_with_is_not_dialled_and_heals) {
    auto document = sample_document();
    document.connection.tls.ca.clear();
    document.connection.tls.ca_file = "ca.crt";
    const auto error = local_error(document, EndpointRole::primary);
    EXPECT_EQ(error.cause, Cause::tls_chain);
    EXPECT_TRUE(error.transient);
    EXPECT_THAT(error.sentence, AllOf(HasSubstr("ca.crt"), HasSubstr("Secret cloudvalkey-sessions")));
}

}  // namespace
}  // namespace cvp::proxy
