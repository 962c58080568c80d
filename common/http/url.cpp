#include "common/http/url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <arpa/inet.h>

#include "common/http/message.hpp"

namespace cvp::http {
namespace {

struct HostPort {
    std::string host;
    std::optional<std::uint16_t> port;
};

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
    return fail(ErrorCode::invalid_argument, "\"" + std::string(text) + "\": " + std::string(why));
}

bool is_ip(const std::string& host) {
    unsigned char address[16];
    return ::inet_pton(AF_INET, host.c_str(), address) == 1 || ::inet_pton(AF_INET6, host.c_str(), address) == 1;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

/// Splits "host[:port]", "[v6][:port]" or ":port"; the host may be empty.
Result<HostPort> split_authority(std::string_view text) {
    HostPort parts;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return bad(text, "the bracket of the IPv6 address is not closed");
        parts.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
        if (!is_ip(parts.host) || parts.host.find(':') == std::string::npos) {
            return bad(text, "only an IPv6 address may stand in brackets");
        }
    } else {
        const auto colon = text.find(':');
        parts.host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? "" : text.substr(colon);
        if (rest.find(':', 1) != std::string_view::npos) return bad(text, "an IPv6 address must stand in brackets");
        if (!std::all_of(parts.host.begin(), parts.host.end(), is_host_character)) {
            return bad(text, "the host holds a character that no host name may have");
        }
    }
    if (rest.empty()) return parts;
    parts.port = rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
    if (!parts.port) return bad(text, "the port must be a number up to 65535");
    return parts;
}

}  // namespace

std::string Origin::authority() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Origin::to_string() const {
    return (tls ? "https://" : "http://") + authority();
}

std::string Origin::host_header() const {
    auto text = authority();
    if (port == (tls ? 443 : 80)) text.resize(text.rfind(':'));
    return text;
}

Result<Url> parse_url(std::string_view text) {
    const auto scheme_end = text.find("://");
    const auto scheme = text.substr(0, scheme_end);
    const bool tls = equal_without_case(scheme, "https");
    if (scheme_end == std::string_view::npos || (!tls && !equal_without_case(scheme, "http"))) {
        return bad(text, "a URL must begin with http:// or https://");
    }
    const auto rest = text.substr(scheme_end + 3);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    const auto target = rest.substr(authority.size());
    if (authority.find('@') != std::string_view::npos) {
        return fail(ErrorCode::invalid_argument, "a URL must not hold a user name or password");  // and is not shown
    }
    if (target.find('#') != std::string_view::npos) return bad(text, "a URL must not have a fragment (#)");
    if (std::any_of(target.begin(), target.end(), [](char c) { return c <= ' ' || c == '\x7f'; })) {
        return bad(text, "a URL must not hold spaces or control characters");
    }
    auto origin = parse_authority(authority, tls ? 443 : 80, tls);
    if (!origin) return fail(std::move(origin).error());
    return Url{std::move(*origin), (target.starts_with('/') ? "" : "/") + std::string(target)};
}

Result<Origin> parse_authority(std::string_view text, std::uint16_t default_port, bool tls) {
    auto parts = split_authority(text);
    if (!parts) return fail(std::move(parts).error());
    if (parts->host.empty()) return bad(text, "the host is missing");
    if (parts->port == 0) return bad(text, "the port must be a number from 1 to 65535");
    return Origin{tls, std::move(parts->host), parts->port.value_or(default_port)};
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
    auto parts = split_authority(text);
    if (!parts) return fail(std::move(parts).error());
    if (!parts->port) return bad(text, "the port is missing (write host:port or :port)");
    if (!parts->host.empty() && parts->host != "localhost" && !is_ip(parts->host)) {
        return bad(text, "the host to listen on must be an IP address or localhost");
    }
    return ListenAddress{std::move(parts->host), *parts->port};
}

}  // namespace cvp::http
