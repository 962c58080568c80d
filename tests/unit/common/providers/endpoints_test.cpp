#include "common/providers/endpoints.hpp"

#include <gtest/gtest.h>

namespace cvp::providers::endpoints {
namespace {

Instance instance() {
    return {{{EndpointRole::primary, "valkey.example.com", 6379}, {EndpointRole::reader, "2001:db8::1", 6380}},
            TlsMode::required};
}

TEST(Endpoints, an_address_is_a_host_and_a_port) {
    for (const auto* text : {"10.1.2.3:6379", "[2001:db8::1]:1", "valkey.example.com:65535", "valkey_0:6379"}) {
        const auto endpoint = parse_address(text, EndpointRole::reader);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->role, EndpointRole::reader);
        EXPECT_EQ(format_address(*endpoint), text);
    }
    for (const auto* text : {"", ":", "h", "h:", ":1", "h:0", "h:06379", "h:65536", "h:1x", "10.1.2.300:1", "10.1:1",
                             "2001:db8::1:6379", "[2001:db8::g]:1", "[h]:1", "[]:1", "h h:1", "redis://h:1", "h.:1"}) {
        EXPECT_FALSE(parse_address(text, EndpointRole::primary)) << text;
    }
}

TEST(Endpoints, the_document_says_what_the_owner_said) {
    Wishes wishes;
    wishes.connection_name = "sessions";
    wishes.generation = 7;
    wishes.server_name = "valkey.internal";
    const auto document = map(instance(), wishes);
    EXPECT_EQ(document.name, "sessions");
    EXPECT_EQ(document.endpoints, instance().endpoints);
    EXPECT_EQ(document.instance.provider, "endpoints");
    EXPECT_EQ(document.instance.full_name, "valkey.example.com:6379");
    EXPECT_EQ(document.instance.source_generation, 7);
    EXPECT_EQ(document.tls.mode, TlsMode::required);
    EXPECT_EQ(document.tls.ca_file, "ca.crt");
    EXPECT_EQ(document.tls.server_name, "valkey.internal");
    EXPECT_TRUE(document.tls.identities.empty()) << "each server is to show what is dialled, or the server name";

    const auto parsed = parse_resolved_connection(write_resolved_connection(document));
    EXPECT_EQ(describe_faults("document", parsed.faults), "");
    EXPECT_EQ(parsed.connection, document);
}

TEST(Endpoints, a_login_is_by_password_unless_there_is_none) {
    Wishes wishes;
    for (const auto choice : {AuthChoice::automatic, AuthChoice::password}) {
        wishes.auth = choice;
        const auto auth = map(instance(), wishes).auth;
        EXPECT_EQ(auth.mode, AuthMode::password);
        EXPECT_EQ(auth.username_file, "username");
        EXPECT_EQ(auth.password_file, "password");
    }
    wishes.auth = AuthChoice::none;
    EXPECT_EQ(map(instance(), wishes).auth, AuthSettings());
}

TEST(Endpoints, without_tls_no_ca_is_asked_for) {
    auto plain = instance();
    plain.tls = TlsMode::disabled;
    const auto document = map(plain, Wishes());
    EXPECT_EQ(document.tls.mode, TlsMode::disabled);
    EXPECT_EQ(document.tls.ca_file, "");
}

}  // namespace
}  // namespace cvp::providers::endpoints
