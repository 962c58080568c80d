#include "proxy/loop/tls_tickets.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

const TlsTickets::TimePoint kNow{1000h};

TlsTickets::Session make_session(int version = TLS1_3_VERSION) {
    TlsTickets::Session session(SSL_SESSION_new());
    SSL_SESSION_set_protocol_version(session.get(), version);
    SSL_SESSION_set1_id(session.get(), reinterpret_cast<const unsigned char*>("id"), 2);
    return session;
}

TEST(TlsTickets, hands_each_out_once_the_newest_first) {
    TlsTickets tickets;
    EXPECT_EQ(tickets.take(kNow), nullptr);
    auto older = make_session(), newer = make_session();
    const auto *first = older.get(), *second = newer.get();
    tickets.add(std::move(older), kNow + 1h);
    tickets.add(std::move(newer), kNow + 1h);
    EXPECT_EQ(tickets.take(kNow).get(), second);
    EXPECT_EQ(tickets.take(kNow).get(), first);
    EXPECT_EQ(tickets.take(kNow), nullptr);
}

TEST(TlsTickets, keeps_one_of_tls_1_2) {
    TlsTickets tickets;
    auto session = make_session(TLS1_2_VERSION);
    const auto* only = session.get();
    tickets.add(std::move(session), kNow + 1h);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(tickets.take(kNow).get(), only);
}

TEST(TlsTickets, hands_none_out_that_outlived_its_certificate) {
    TlsTickets tickets;
    tickets.add(make_session(), kNow + 1h);
    tickets.add(make_session(TLS1_2_VERSION), kNow);
    EXPECT_NE(tickets.take(kNow), nullptr);
    tickets.add(make_session(), kNow);
    EXPECT_EQ(tickets.take(kNow), nullptr);
    EXPECT_EQ(tickets.size(), 0u);
}

TEST(TlsTickets, keeps_the_newest_sixteen) {
    TlsTickets tickets;
    tickets.add(make_session(), kNow + 1h);
    auto session = make_session();
    const auto* second = session.get();
    tickets.add(std::move(session), kNow + 1h);
    for (std::size_t i = 1; i < TlsTickets::kMost; ++i)
        tickets.add(make_session(), kNow + 1h);
    EXPECT_EQ(tickets.size(), TlsTickets::kMost);
    const ssl_session_st* last = nullptr;
    while (const auto taken = tickets.take(kNow))
        last = taken.get();
    EXPECT_EQ(last, second) << "the first had to go";
}

}  // namespace
}  // namespace cvp::proxy
