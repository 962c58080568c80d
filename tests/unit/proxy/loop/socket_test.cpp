#include "proxy/loop/socket.hpp"

#include <array>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/contract/host.hpp"

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

TEST(SocketAddress, knows_this_machines_own) {
    for (const auto* ip : {"127.0.0.1", "127.255.0.6", "::1"})
        EXPECT_TRUE(is_loopback(SocketAddress::parse(ip, 1)->ip())) << ip;
    for (const auto* ip : {"0.0.0.0", "10.0.0.3", "126.0.0.1", "128.0.0.1", "::", "fe80::1"})
        EXPECT_FALSE(is_loopback(SocketAddress::parse(ip, 1)->ip())) << ip;
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

std::string congestion_control(const Socket& socket) {
    std::array<char, 16> name{};  // TCP_CA_NAME_MAX
    socklen_t size = name.size();
    EXPECT_EQ(::getsockopt(socket.fd(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size), 0);
    return name.data();
}

TEST(ListenTcp, leaves_congestion_to_the_system_only_where_there_can_be_any) {
    const Socket plain(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto usual = congestion_control(plain);
    EXPECT_EQ(congestion_control(listen_tcp(SocketAddress::parse("127.0.0.1", 0).value()).value()), "reno");
    EXPECT_EQ(congestion_control(listen_tcp(SocketAddress::parse("0.0.0.0", 0).value()).value()), usual);
}

int option(const Socket& socket, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(socket.fd(), level, name, &value, &size), 0);
    return value;
}

TEST(ListenTcp, whom_it_accepts_inherits_what_clients_need) {
    const auto listener = listen_tcp(SocketAddress::parse("127.0.0.1", 0).value()).value();
    const auto client = connect_tcp(local_address(listener).value()).value();
    ::fcntl(listener.fd(), F_SETFL, 0);  // accept4() waits
    const Socket accepted(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(accepted);
    EXPECT_EQ(option(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(congestion_control(accepted), "reno");
}

}  // namespace
}  // namespace cvp::proxy
