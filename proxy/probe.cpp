#include "proxy/probe.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace cvp::proxy {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

/// A blocking socket whose every step takes at most a second.
class Socket {
public:
    explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval second{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);  // connect() too
    }
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    int fd() const { return fd_; }

private:
    int fd_;
};

/// The server listens on all addresses where its host is empty or the wildcard; it is asked on loopback then.
std::string host_to_ask(const std::string& host) {
    if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
    return host == "::" ? "::1" : host;
}

bool connect(int fd, const std::string& host, std::uint16_t port) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        return ::connect(fd, reinterpret_cast<const sockaddr*>(&v4), sizeof v4) == 0;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    static_cast<void>(::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr));
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&v6), sizeof v6) == 0;
}

std::string receive(int fd) {
    std::string answer;
    char buffer[4096];
    while (answer.size() < kMaxAnswerBytes) {
        const auto count = ::recv(fd, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        answer.append(buffer, static_cast<std::size_t>(count));
    }
    return answer;
}

}  // namespace

Verdict read_probe_answer(std::string_view answer) {
    constexpr std::string_view kHttp = "HTTP/1.1 ";
    const auto body_at = answer.find("\r\n\r\n");
    if (!answer.starts_with(kHttp) || body_at == std::string_view::npos) {
        return {false, "what answers there is not the admin server"};
    }
    const auto status = answer.substr(kHttp.size(), 3);
    const auto body = answer.substr(body_at + 4);
    const auto line = body.substr(0, body.find_first_of("\r\n"));
    if (status == "200") return {true, std::string(line)};
    return {false, fmt::format("HTTP {}: {}", status, line)};
}

Verdict ask_admin(const http::ListenAddress& address, std::string_view path) {
    auto host = host_to_ask(address.host);
    if (host == "localhost") host = "127.0.0.1";
    const http::Origin origin{false, host, address.port};
    const Socket socket(host.find(':') == std::string::npos ? AF_INET : AF_INET6);
    const auto failed = [&] {
        return Verdict{false, fmt::format("{}: {}", origin.authority(), std::generic_category().message(errno))};
    };
    if (!connect(socket.fd(), host, address.port)) return failed();
    const auto request =
        fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, origin.authority());
    if (::send(socket.fd(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
        return failed();
    }
    const auto answer = receive(socket.fd());
    return answer.empty() ? failed() : read_probe_answer(answer);
}

}  // namespace cvp::proxy
