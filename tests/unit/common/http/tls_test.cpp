#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/async/event.hpp"
#include "common/http/client.hpp"
#include "common/http/server.hpp"
#include "tests/support/async.hpp"
#include "tests/support/raw_peer.hpp"
#include "tests/support/recording_server.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::http {
namespace {

using namespace std::chrono_literals;
using test::Leaf;
using test::RecordingServer;
using test::run;
using test::Started;
using test::TestCa;
using test::wait_until;
using testing::EndsWith;
using testing::HasSubstr;

constexpr auto kToken = "Bearer canary-5d41402abc4b2a76b9719d911017c592";

Request get(std::string target = "/") {
    Request request;
    request.target = std::move(target);
    request.headers.set("Authorization", kToken);
    return request;
}

tls::ClientOptions trusting(const TestCa& ca) {
    tls::ClientOptions options;
    options.ca_pem = ca.pem();
    return options;
}

tls::ServerOptions showing(const crypto::CertificateAndKey& leaf) {
    return {leaf.certificate_pem, leaf.key_pem, {}};
}

Result<Response> fetch(asio::io_context& io, Client& client, std::string target = "/") {
    return run(io, client.send(get(std::move(target)), SteadyClock::now() + 5s));
}

/// What a client says that asks a thief, and that the thief got nothing.
class HttpsClient : public testing::Test {
protected:
    Error error_against(const test::TlsServerSettings& certificate, const tls::ClientOptions& options) {
        test::RecordingOptions recording;
        recording.certificate = certificate;
        const auto thief = RecordingServer::start(std::move(recording)).value();
        Client client(io, Origin{true, "127.0.0.1", thief->port()}, options);
        const auto response = fetch(io, client);
        client.close();
        EXPECT_TRUE(thief->wait_for_ended(1, 5s));
        EXPECT_EQ(thief->application_bytes(), 0U);
        return response ? Error{ErrorCode::internal, "was accepted"} : response.error();
    }

    asio::io_context io{1};
    TestCa ca;
};

TEST_F(HttpsClient, tells_a_server_it_does_not_trust_nothing) {
    const struct {
        test::TlsServerSettings server;
        const char* failure;
    } cases[] = {
        {TestCa("Foreign CA").server(), "TLS chain: the certificate's CA is not a trusted one: CN=Foreign CA"},
        {ca.server(Leaf::expired), "TLS chain: the certificate expired "},
        {ca.server(Leaf::not_yet_valid), "TLS chain: the certificate is not valid before "},
        {ca.server(Leaf::other_identity), ", want ip:127.0.0.1"},
        {ca.server(Leaf::common_name), "TLS identity: the certificate names no identity"},
    };
    for (const auto& [server, failure] : cases) {
        const auto error = error_against(server, trusting(ca));
        EXPECT_EQ(error.code, ErrorCode::tls_failed) << failure;
        EXPECT_THAT(error.context, HasSubstr(failure));
    }
}

TEST_F(HttpsClient, tells_a_server_of_old_tls_versions_nothing) {
    auto server = ca.server();
    server.min_version = test::TlsVersion::v1_1;
    server.max_version = test::TlsVersion::v1_1;
    const auto error = error_against(server, trusting(ca));
    EXPECT_EQ(error.code, ErrorCode::tls_failed);
    EXPECT_THAT(error.context, EndsWith("TLS version: the server has no TLS version that we allow"));
}

TEST_F(HttpsClient, says_that_a_server_speaks_no_tls) {
    test::RawListener listener(io);
    Client client(io, Origin{true, "127.0.0.1", listener.port()}, trusting(ca));
    Started<Result<Response>> sent(io, client.send(get(), SteadyClock::now() + 5s));
    wait_until(io, [&] { return !listener.peers().empty() && !listener.peers()[0]->received.empty(); });
    listener.peers()[0]->write("HTTP/1.1 400 Bad Request\r\n\r\n");
    const auto error = sent.get().error();
    EXPECT_EQ(error.code, ErrorCode::tls_failed);
    EXPECT_THAT(error.context, EndsWith("TLS handshake: the server does not speak TLS"));
}

TEST_F(HttpsClient, a_connection_that_breaks_in_the_handshake_may_be_tried_again) {
    test::RawListener listener(io);
    Client client(io, Origin{true, "127.0.0.1", listener.port()}, trusting(ca));
    Started<Result<Response>> sent(io, client.send(get(), SteadyClock::now() + 5s));
    wait_until(io, [&] { return !listener.peers().empty(); });
    listener.peers()[0]->close();
    EXPECT_EQ(sent.get().error().code, ErrorCode::unavailable);
}

TEST_F(HttpsClient, a_silent_handshake_ends_with_the_connect_timeout) {
    test::RawListener listener(io);
    ClientOptions options;
    options.connect_timeout = 50ms;
    Client client(io, Origin{true, "127.0.0.1", listener.port()}, trusting(ca), options);
    Started<Result<Response>> sent(io, client.send(get(), SteadyClock::now() + 5s));
    EXPECT_EQ(sent.get(2s).error().code, ErrorCode::timeout);
}

TEST_F(HttpsClient, names_bad_options) {
    tls::ClientOptions options;
    options.ca_pem = "nonsense";
    test::RawListener listener(io);
    Client client(io, Origin{true, "127.0.0.1", listener.port()}, options);
    const auto error = fetch(io, client).error();
    EXPECT_EQ(error.code, ErrorCode::invalid_argument);
    EXPECT_THAT(error.context, EndsWith(": CA: holds no PEM certificate"));
}

/// Our client and our server.
class Https : public testing::Test {
protected:
    Https() {
        EXPECT_TRUE(server.set_tls(showing(ca.sign(Leaf::good))));
        EXPECT_TRUE(server.listen("127.0.0.1:0"));
        origin = {true, "127.0.0.1", server.port()};
    }

    static Awaitable<Response> echo(Request request, Peer) {
        co_return make_response(200, "text/plain", request.target + " " + request.body);
    }

    asio::io_context io{1};
    TestCa ca;
    Server server{io, echo};
    Origin origin;
};

TEST_F(Https, talk_on_a_verified_connection) {
    Client client(io, origin, trusting(ca));
    EXPECT_EQ(fetch(io, client, "/1")->body, "/1 ");
    auto post = get("/2");
    post.method = "POST";
    post.body = std::string(60'000, 'x');
    EXPECT_EQ(run(io, client.send(post, SteadyClock::now() + 5s))->body, "/2 " + post.body);
}

TEST_F(Https, a_new_certificate_serves_new_handshakes_while_old_connections_live_on) {
    Client old_client(io, origin, trusting(ca));
    ASSERT_TRUE(fetch(io, old_client));
    const TestCa new_ca("New CA");
    ASSERT_TRUE(server.set_tls(showing(new_ca.sign(Leaf::good))));
    EXPECT_EQ(fetch(io, old_client, "/still")->body, "/still ");
    Client new_client(io, origin, trusting(new_ca));
    EXPECT_TRUE(fetch(io, new_client));
    Client late_client(io, origin, trusting(ca));
    EXPECT_EQ(fetch(io, late_client).error().code, ErrorCode::tls_failed);
}

TEST_F(Https, a_bad_certificate_leaves_the_old_one_in_place) {
    EXPECT_EQ(server.set_tls({"", {}, ""}).error().code, ErrorCode::invalid_argument);
    const auto one = ca.sign(Leaf::good);
    const auto two = ca.sign(Leaf::good);
    EXPECT_EQ(server.set_tls({one.certificate_pem, two.key_pem, ""}).error().code, ErrorCode::invalid_argument);
    Client client(io, origin, trusting(ca));
    EXPECT_TRUE(fetch(io, client));
}

TEST_F(Https, new_trust_is_used_from_the_next_request_on) {
    Client client(io, origin, trusting(ca));
    ASSERT_TRUE(fetch(io, client));
    client.set_tls(trusting(TestCa("Other CA")));
    EXPECT_EQ(fetch(io, client).error().code, ErrorCode::tls_failed) << "the idle connection of the old trust is gone";
    client.set_tls(trusting(ca));
    EXPECT_TRUE(fetch(io, client));
}

TEST_F(Https, only_clients_with_the_certificate_that_is_asked_for_are_served) {
    const auto client_ca = crypto::issue_ca({"Client CA", crypto::Validity::from_now(1h)}).value();
    crypto::LeafRequest request;
    request.common_name = "kube-apiserver";
    request.validity = crypto::Validity::from_now(1h);
    request.server_auth = false;
    request.client_auth = true;
    const auto known = crypto::issue_leaf(request, client_ca).value();
    const auto leaf = ca.sign(Leaf::good);
    ASSERT_TRUE(server.set_tls({leaf.certificate_pem, leaf.key_pem, client_ca.certificate_pem}));

    Client nobody(io, origin, trusting(ca));
    EXPECT_EQ(fetch(io, nobody).error().code, ErrorCode::tls_failed);
    auto options = trusting(ca);
    options.certificate_pem = known.certificate_pem;
    options.key_pem = known.key_pem;
    Client somebody(io, origin, options);
    EXPECT_TRUE(fetch(io, somebody));
    const auto foreign = crypto::issue_leaf(request, crypto::issue_ca({"X", request.validity}).value()).value();
    options.certificate_pem = foreign.certificate_pem;
    options.key_pem = foreign.key_pem;
    Client stranger(io, origin, options);
    EXPECT_EQ(fetch(io, stranger).error().code, ErrorCode::tls_failed);
}

TEST_F(Https, a_client_that_speaks_no_tls_is_cut_and_a_silent_one_too) {
    const auto plain = test::RawPeer::connect(io, server.port());
    plain->write(std::string(100'000, 'x'));
    wait_until(
        io, [&] { return plain->has_ended; }, 2s);
    EXPECT_FALSE(plain->was_reset) << "a reset could take our alert with it";

    ServerOptions options;
    options.request_timeout = 50ms;
    Server impatient(io, echo, options);
    ASSERT_TRUE(impatient.set_tls(showing(ca.sign(Leaf::good))));
    ASSERT_TRUE(impatient.listen("127.0.0.1:0"));
    const auto silent = test::RawPeer::connect(io, impatient.port());
    wait_until(
        io, [&] { return silent->has_ended; }, 2s);
}

TEST_F(Https, a_closed_keep_alive_connection_is_noticed) {
    Client client(io, origin, trusting(ca));
    ASSERT_TRUE(fetch(io, client));
    server.ask_clients_to_leave();
    ASSERT_TRUE(fetch(io, client));
    auto post = get();
    post.method = "POST";
    EXPECT_TRUE(run(io, client.send(post, SteadyClock::now() + 5s)));
}

TEST_F(Https, the_graceful_end_of_a_connection_does_not_wait_for_a_slow_client) {
    Client client(io, origin, trusting(ca));
    ASSERT_TRUE(fetch(io, client));
    server.stop_accepting();
    const auto begin = SteadyClock::now();
    ASSERT_TRUE(fetch(io, client));
    run(io, server.drain(SteadyClock::now() + 5s));
    EXPECT_LT(SteadyClock::now() - begin, 1s);
}

}  // namespace
}  // namespace cvp::http
