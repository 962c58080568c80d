#include "proxy/connection.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/fake_ports.hpp"
#include "tests/unit/proxy/sample_document.hpp"

namespace cvp::proxy {
namespace {

Document at(const std::string& host) {
    auto document = sample_document();
    document.connection.endpoints[0].host = host;
    return document;
}

Document with_reader() {
    auto document = sample_document();
    document.connection.endpoints.push_back({EndpointRole::reader, "10.0.0.4", 6379});
    return document;
}

TEST(Connection, opens_the_ports_that_were_written) {
    FakePorts ports;
    Connection connection("sessions", {7000, 7001, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    ASSERT_EQ(ports.opened.size(), 2u);
    EXPECT_EQ(ports.opened[0].options().role, EndpointRole::primary);
    EXPECT_EQ(ports.opened[0].port(), 7000);
    EXPECT_EQ(ports.opened[0].options().connection, "sessions");
    EXPECT_EQ(ports.opened[1].options().role, EndpointRole::reader);
    EXPECT_EQ(ports.opened[1].port(), 7001);
    ASSERT_TRUE(connection.apply(sample_document()));
    EXPECT_EQ(ports.opened[1].host(), "NoReader");
}

TEST(Connection, fails_to_start_where_a_port_is_taken) {
    FakePorts ports;
    ports.taken = {7001};
    Connection connection("sessions", {7000, 7001, false}, ports.context());
    EXPECT_EQ(connection.open_ports().error().code, ErrorCode::unavailable);
}

TEST(Connection, follows_new_documents) {
    FakePorts ports;
    Connection connection("sessions", {7000, {}, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    EXPECT_EQ(connection.applied(), 0u);
    ASSERT_TRUE(connection.apply(at("10.0.0.3")));
    ASSERT_TRUE(connection.apply(at("10.0.0.9")));
    EXPECT_EQ(ports.opened[0].host(), "10.0.0.9");
    EXPECT_EQ(connection.applied(), 2u);
}

TEST(Connection, does_nothing_for_the_same_document) {
    FakePorts ports;
    Connection connection("sessions", {7000, {}, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    ASSERT_TRUE(connection.apply(sample_document()));
    const auto applied_at = connection.applied_at();
    ASSERT_TRUE(connection.apply(sample_document()));
    EXPECT_EQ(ports.opened[0].destinations.size(), 1u);
    EXPECT_EQ(connection.applied(), 1u);
    EXPECT_EQ(connection.applied_at(), applied_at);
}

TEST(Connection, follows_a_new_password) {
    FakePorts ports;
    Connection connection("sessions", {7000, {}, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    auto document = sample_document();
    document.password = Secret("one");
    ASSERT_TRUE(connection.apply(document));
    document.password = Secret("two");
    ASSERT_TRUE(connection.apply(document));
    EXPECT_EQ(connection.applied(), 2u);
}

TEST(Connection, keeps_the_last_good_document) {
    FakePorts ports;
    Connection connection("sessions", {7000, {}, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    ASSERT_TRUE(connection.apply(sample_document()));
    connection.reject("bad");
    connection.reject("bad");
    EXPECT_EQ(connection.rejected(), 1u) << "the same again is not news";
    EXPECT_EQ(connection.last_rejection(), "bad");

    ports.opened[0].refuses = true;
    EXPECT_FALSE(connection.apply(at("10.0.0.9")));
    EXPECT_EQ(connection.rejected(), 2u);
    EXPECT_EQ(ports.opened[0].host(), "10.0.0.3");
    EXPECT_EQ(connection.document(), sample_document());

    ASSERT_TRUE(connection.apply(sample_document()));
    EXPECT_EQ(connection.last_rejection(), "") << "the good one is back";
}

const ClientPolicy& clients_of(const FakePort& port) {
    return port.destinations.back().clients;
}

TEST(Connection, asks_clients_for_what_the_document_says) {
    FakePorts ports;
    Connection connection("sessions", {7000, 7001, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    auto document = sample_document();
    ASSERT_TRUE(connection.apply(document));
    EXPECT_EQ(clients_of(ports.opened[0]), ClientPolicy());
    document.connection.proxy.client_auth = ClientAuth::require;
    document.client_password = Secret("one");
    ASSERT_TRUE(connection.apply(document));
    for (const auto& port : ports.opened)
        EXPECT_EQ(clients_of(port), (ClientPolicy{ClientAuth::require, Secret("one"), false}));
    document.client_password = Secret("two");
    ASSERT_TRUE(connection.apply(document));
    EXPECT_EQ(clients_of(ports.opened[1]).password, Secret("two"));
}

TEST(Connection, asks_clients_for_what_flags_say_above_any_document) {
    FakePorts ports;
    auto context = ports.context();
    context.clients.mode = ClientAuth::require;
    Connection connection("sessions", {7000, {}, false}, std::move(context));
    ASSERT_TRUE(connection.open_ports());
    connection.set_client_password(Secret("flag"));
    auto document = sample_document();
    document.connection.proxy.client_auth = ClientAuth::reject;
    document.client_password = Secret("file");
    ASSERT_TRUE(connection.apply(document));
    EXPECT_EQ(clients_of(ports.opened[0]), (ClientPolicy{ClientAuth::require, Secret("flag"), false}));
    EXPECT_EQ(connection.document()->connection.proxy.client_auth, ClientAuth::require) << "what is shown in /status";

    connection.set_client_password(Secret("flag 2"));
    EXPECT_EQ(clients_of(ports.opened[0]).password, Secret("flag 2"));
    const auto destinations = ports.opened[0].destinations.size();
    connection.set_client_password(Secret("flag 2"));
    ASSERT_TRUE(connection.apply(document));
    EXPECT_EQ(ports.opened[0].destinations.size(), destinations) << "the same again";
}

TEST(Connection, asks_clients_before_it_tells_them_that_it_is_not_resolved) {
    FakePorts ports;
    auto context = ports.context();
    context.clients.mode = ClientAuth::require;
    Connection connection("sessions", {7000, {}, false}, std::move(context));
    ASSERT_TRUE(connection.open_ports());
    connection.set_client_password(Secret("one"));
    connection.explain_unresolved("the instance is not known yet");
    EXPECT_EQ(clients_of(ports.opened[0]), (ClientPolicy{ClientAuth::require, Secret("one"), false}));
    connection.set_client_password(Secret("two"));
    EXPECT_EQ(clients_of(ports.opened[0]).password, Secret("two"));
    EXPECT_EQ(ports.opened[0].host(), "NotResolved");
}

TEST(Connection, never_opens_what_other_machines_can_reach_to_everybody) {
    FakePorts ports;
    auto context = ports.context();
    context.clients.is_exposed = true;
    Connection connection("sessions", {7000, {}, false}, std::move(context));
    ASSERT_TRUE(connection.open_ports());
    auto document = sample_document();
    EXPECT_FALSE(connection.apply(document));
    EXPECT_TRUE(ports.opened[0].destinations.empty());

    document.connection.proxy.client_auth = ClientAuth::require;
    ASSERT_TRUE(connection.apply(document));
    document.connection.proxy.client_auth = ClientAuth::accept;
    EXPECT_FALSE(connection.apply(document));
    EXPECT_NE(connection.last_rejection().find("--allow-open-listen"), std::string::npos);
    EXPECT_EQ(clients_of(ports.opened[0]).mode, ClientAuth::require) << "the last good document stays";
}

TEST(Connection, gives_the_unix_socket_to_the_primary_alone_and_tls_to_both) {
    FakePorts ports;
    auto context = ports.context();
    const test::TestCa ca;
    const auto leaf = ca.sign(test::Leaf::good);
    context.tls = TlsServerProfile::make({leaf.certificate_pem, leaf.key_pem, {}}).value();
    const UnixSocketOptions socket{"/run/v.sock", 0660};
    Connection connection("sessions", {7000, 7001, false, socket}, context);
    ASSERT_TRUE(connection.open_ports());
    EXPECT_EQ(ports.opened[0].options().unix_socket, socket);
    EXPECT_EQ(ports.opened[1].options().unix_socket, std::nullopt);
    EXPECT_EQ(ports.opened[0].options().tls, context.tls);
    EXPECT_EQ(ports.opened[1].options().tls, context.tls);
}

TEST(Connection, tells_clients_why_it_is_not_resolved) {
    FakePorts ports;
    Connection connection("sessions", {7000, 7001, false}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    connection.explain_unresolved("the instance does not exist");
    for (const auto& port : ports.opened) {
        const auto& error = std::get<LocalError>(port.destinations.back().to);
        EXPECT_EQ(error.cause, Cause::not_resolved);
        EXPECT_EQ(error.sentence, "the instance does not exist");
    }
    ASSERT_TRUE(connection.apply(sample_document()));
    connection.explain_unresolved("the cloud is away");
    EXPECT_EQ(ports.opened[0].host(), "10.0.0.3") << "the last good document stays";
}

TEST(Connection, opens_readers_by_default_only_once_there_is_one) {
    FakePorts ports;
    Connection connection("sessions", {6379, 6380, true}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    ASSERT_TRUE(connection.apply(sample_document()));
    EXPECT_EQ(ports.opened.size(), 1u);
    ASSERT_TRUE(connection.apply(with_reader()));
    ASSERT_EQ(ports.opened.size(), 2u);
    EXPECT_EQ(ports.opened[1].port(), 6380);
    EXPECT_EQ(ports.opened[1].host(), "10.0.0.4");
    ASSERT_TRUE(connection.apply(sample_document()));
    EXPECT_EQ(ports.opened[1].host(), "NoReader");
}

TEST(Connection, lives_on_where_the_default_readers_port_is_taken) {
    FakePorts ports;
    ports.taken = {6380};
    Connection connection("sessions", {6379, 6380, true}, ports.context());
    ASSERT_TRUE(connection.open_ports());
    ASSERT_TRUE(connection.apply(with_reader()));
    EXPECT_EQ(connection.readers(), nullptr);
    EXPECT_EQ(ports.opened[0].host(), "10.0.0.3");
}

}  // namespace
}  // namespace cvp::proxy
