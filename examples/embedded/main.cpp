// A C++ program with the proxy inside: no second process, and any client library for a plain Valkey will do.
//
//   embedded --instance=my-valkey        # the flags of cloud-valkey-proxy
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <cvp/proxy.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace {

/// In the place of your client library: PING on 127.0.0.1:port.
std::string ping(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    char reply[512] = {};
    ssize_t size = -1;
    if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::write(client, "PING\r\n", 6) == 6)
        size = ::read(client, reply, sizeof reply);
    ::close(client);
    return size > 0 ? std::string(reply, static_cast<std::size_t>(size)) : "no answer\n";
}

}  // namespace

int main(int argc, char** argv) try {
    cvp::EmbeddedProxy proxy(std::vector<std::string>(argv + 1, argv + argc));
    if (const auto why_not = proxy.wait_until_ready(); !why_not.empty()) {
        std::fprintf(stderr, "not ready: %s\n", why_not.c_str());
        return 1;
    }
    std::printf("127.0.0.1:%u says %s", proxy.port(), ping(proxy.port()).c_str());
    return 0;
} catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 64;
}
