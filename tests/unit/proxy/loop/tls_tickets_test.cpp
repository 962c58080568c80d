#include "proxy/loop/tls_tickets.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "common/tls/context.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const TlsTickets::TimePoint kNow{1000h};

/// @param name its id, by which copies of it are told
TlsTickets::Session make_session(std::string_view name, int version = TLS1_3_VERSION) {
    TlsTickets::Session session(SSL_SESSION_new());
    SSL_SESSION_set_protocol_version(session.get(), version);
    SSL_SESSION_set1_id(session.get(), reinterpret_cast<const unsigned char*>(name.data()),
                        static_cast<unsigned>(name.size()));
    return session;
}

/// The id of what is taken; empty where there was none.
std::string take(TlsTickets& tickets) {
    const auto session = tickets.take(kNow);
    if (!session) return {};
    unsigned length = 0;
    const auto* id = SSL_SESSION_get_id(session.get(), &length);
    return {reinterpret_cast<const char*>(id), length};
}

/// What a server gives whose sessions live so long: nothing else sets that on a session.
TlsTickets::Session won_from_a_server(std::chrono::seconds lifetime) {
    const test::TestCa ca("Server CA");
    const auto leaf = ca.sign(test::Leaf::good);
    const auto server_context = tls::make_server_context({leaf.certificate_pem, leaf.key_pem, {}}).value();
    const auto client_context = tls::make_client_context({}).value();
    SSL_CTX_set_timeout(server_context.native(), lifetime.count());
    SSL_CTX_set_verify(client_context.native(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(client_context.native(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client_context.native(), [](SSL* ssl, SSL_SESSION* session) {
        static_cast<TlsTickets::Session*>(SSL_get_app_data(ssl))->reset(session);
        return 1;
    });
    TlsTickets::Session won;
    const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(client_context.native()), SSL_free),
        server(SSL_new(server_context.native()), SSL_free);
    BIO *client_end = nullptr, *server_end = nullptr;
    BIO_new_bio_pair(&client_end, 0, &server_end, 0);
    SSL_set_bio(client.get(), client_end, client_end);
    SSL_set_bio(server.get(), server_end, server_end);
    SSL_set_app_data(client.get(), &won);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    for (int flight = 0; flight < 3; ++flight)
        SSL_do_handshake(client.get()), SSL_do_handshake(server.get());
    char none = 0;
    SSL_read(client.get(), &none, sizeof none);                                 // what comes after the handshake
    SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // its end spoils nothing
    return won;
}

TEST(TlsTickets, hands_the_newest_out_first_and_the_last_again_and_again) {
    TlsTickets tickets;
    EXPECT_EQ(tickets.take(kNow), nullptr);
    for (const auto* name : {"first", "second", "third"})
        tickets.add(make_session(name), kNow + 1h);
    for (const auto* name : {"third", "second", "first", "first", "first"})
        EXPECT_EQ(take(tickets), name);
    tickets.add(make_session("fourth"), kNow + 1h);
    for (const auto* name : {"fourth", "first"})
        EXPECT_EQ(take(tickets), name);
}

TEST(TlsTickets, the_last_is_not_spoiled_by_its_use) {
    TlsTickets tickets;
    tickets.add(make_session("only"), kNow + 1h);
    const auto first = tickets.take(kNow), second = tickets.take(kNow);
    ASSERT_TRUE(first && second);
    EXPECT_NE(first.get(), second.get()) << "OpenSSL marks the one that was used";
}

TEST(TlsTickets, keeps_each_of_tls_1_2) {
    TlsTickets tickets;
    tickets.add(make_session("older", TLS1_2_VERSION), kNow + 1h);
    tickets.add(make_session("newer", TLS1_2_VERSION), kNow + 1h);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(take(tickets), "newer");
}

TEST(TlsTickets, hands_none_out_that_outlived_its_certificate) {
    TlsTickets tickets;
    tickets.add(make_session("good"), kNow + 1h);
    tickets.add(make_session("tls 1.2", TLS1_2_VERSION), kNow);
    EXPECT_EQ(take(tickets), "good");
    EXPECT_EQ(take(tickets), "good") << "the last that is good, however many others there are";
    tickets.clear();
    tickets.add(make_session("late"), kNow);
    EXPECT_EQ(take(tickets), "");
    EXPECT_EQ(tickets.size(), 0u);
}

TEST(TlsTickets, hands_none_out_that_the_server_has_forgotten) {
    constexpr auto kLifetime = 300s;
    TlsTickets tickets;
    const auto now = std::chrono::system_clock::now();
    tickets.add(won_from_a_server(kLifetime), now + 1h);
    EXPECT_NE(tickets.take(now), nullptr);
    EXPECT_NE(tickets.take(now + kLifetime - 10s), nullptr);
    EXPECT_EQ(tickets.take(now + kLifetime + 10s), nullptr);
}

TEST(TlsTickets, keeps_the_newest_sixteen) {
    TlsTickets tickets;
    for (std::size_t i = 0; i <= TlsTickets::kMost; ++i)
        tickets.add(make_session(std::to_string(i)), kNow + 1h);
    EXPECT_EQ(tickets.size(), TlsTickets::kMost);
    for (std::size_t i = TlsTickets::kMost; i > 0; --i)
        EXPECT_EQ(take(tickets), std::to_string(i));
    EXPECT_EQ(take(tickets), "1") << "0 had to go";
}

}  // namespace
}  // namespace cvp::proxy
