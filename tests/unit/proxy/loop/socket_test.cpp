#include "proxy/loop/socket.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

TEST(SocketAddress, reads_and_writes_both_families) {
    EXPECT_EQ(SocketAddress::parse("10.0.0.3", 6379)->text(), "10.0.0.3:6379");
    EXPECT_EQ(SocketAddress::parse("::1", 80)->text(), "[::1]:80");
    for (const auto* bad : {"", "localhost", "10.0.0", "[::1]", "10.0.0.3:6379", "10.0.0.3 "}) {
        const auto address = SocketAddress::parse(bad, 1);
        ASSERT_FALSE(address) << bad;
        EXPECT_EQ(address.error().code, ErrorCode::invalid_argument);
    }
}

TEST(ListenTcp, takes_a_free_port_and_names_a_taken_one) {
    for (const auto* ip : {"127.0.0.1", "::1"}) {
        const auto first = listen_tcp(SocketAddress::parse(ip, 0).value());
        ASSERT_TRUE(first) << to_string(first.error());
        const auto bound = local_address(*first);
        ASSERT_TRUE(bound);
        EXPECT_NE(bound->port(), 0);

        const auto second = listen_tcp(*bound);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error(),
                  (Error{ErrorCode::unavailable, "cannot listen on " + bound->text() + ": Address already in use"}));
    }
}

}  // namespace
}  // namespace cvp::proxy
