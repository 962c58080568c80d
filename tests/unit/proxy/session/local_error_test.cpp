#include "proxy/session/local_error.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

TEST(LocalError, tells_clients_to_retry_what_time_heals) {
    EXPECT_EQ(render(make_local_error(Cause::not_resolved, "waiting for the instance"), "sessions"),
              "-LOADING cloud-valkey-proxy sessions: NotResolved: waiting for the instance\r\n");
    EXPECT_EQ(render(make_local_error(Cause::tls_identity, "the certificate is for ip:10.0.0.9"), "orders"),
              "-ERR cloud-valkey-proxy orders: TlsIdentity: the certificate is for ip:10.0.0.9\r\n");
}

TEST(LocalError, a_refused_login_may_be_transient) {
    EXPECT_EQ(render({Cause::login_refused, "access may take minutes to arrive", true}, "s"),
              "-LOADING cloud-valkey-proxy s: LoginRefused: access may take minutes to arrive\r\n");
    EXPECT_FALSE(make_local_error(Cause::login_refused, "").transient);
}

TEST(LocalError, stays_one_line_whatever_the_sentence_holds) {
    const auto line = render({Cause::upstream_unreachable, "a\r\n+OK\r\n" + std::string(1000, 'x'), true}, "s");
    EXPECT_EQ(line.find("\r\n"), line.size() - 2);
    EXPECT_LT(line.size(), 500u);
}

TEST(LocalError, every_cause_has_a_name_of_its_own) {
    for (std::size_t a = 0; a < kCauses; ++a) {
        for (std::size_t b = a + 1; b < kCauses; ++b) {
            EXPECT_NE(to_string(static_cast<Cause>(a)), to_string(static_cast<Cause>(b)));
        }
    }
}

}  // namespace
}  // namespace cvp::proxy
