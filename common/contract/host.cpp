#include "common/contract/host.hpp"

#include <algorithm>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace cvp {

bool is_ip(std::string_view text) {
    const std::string copy(text);
    in6_addr address{};
    return copy.find('\0') == std::string::npos &&
           (::inet_pton(AF_INET, copy.c_str(), &address) == 1 || ::inet_pton(AF_INET6, copy.c_str(), &address) == 1);
}

bool is_dns_name(std::string_view text) {
    if (text.empty() || text.size() > 253 || text.front() == '.' || text.find("..") != std::string_view::npos) {
        return false;
    }
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

bool is_loopback(std::string_view host) {
    const std::string text(host);
    in_addr v4{};
    in6_addr v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
    return host == "localhost";
}

bool is_identity(std::string_view text) {
    if (text.starts_with("ip:")) return is_ip(text.substr(3));
    if (text.starts_with("dns:")) return is_dns_name(text.substr(4));
    return false;
}

}  // namespace cvp
