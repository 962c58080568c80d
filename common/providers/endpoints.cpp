#include "common/providers/endpoints.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "common/contract/host.hpp"
#include "common/printable.hpp"

namespace cvp::providers::endpoints {
namespace {

/// A number from 1 to 65535 without leading zero, or 0.
std::uint16_t parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    return error == std::errc() && rest == end && text.front() != '0' ? port : 0;
}

/// A DNS name, and none that was meant as an IPv4 address: those end in a number.
bool is_name(std::string_view host) {
    const auto last = host.substr(host.rfind('.') + 1);
    return is_dns_name(host) && !last.empty() &&
           !std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<Endpoint> parse_address(std::string_view address, EndpointRole role) {
    const auto colon = address.rfind(':');
    auto host = address.substr(0, std::min(colon, address.size()));
    const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed) host = host.substr(1, host.size() - 2);
    const bool has_colon = host.find(':') != std::string_view::npos;
    const bool is_host = is_bracketed == has_colon && (is_ip(host) || is_name(host));
    const auto port = colon == std::string_view::npos ? 0 : parse_port(address.substr(colon + 1));
    if (!is_host || port == 0) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("must be HOST:PORT, as 10.1.2.3:6379, [2001:db8::1]:6379 or valkey.example.com:6379, "
                                "not {}",
                                in_quotes(address)));
    }
    return Endpoint{role, std::string(host), static_cast<std::uint16_t>(port)};
}

std::string format_address(const Endpoint& endpoint) {
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
}

ResolvedConnection map(const Instance& instance, const Wishes& wishes) {
    ResolvedConnection document;
    document.name = wishes.connection_name;
    document.endpoints = instance.endpoints;
    const auto* primary = document.find(EndpointRole::primary);
    document.instance = {std::string(kProvider), primary != nullptr ? format_address(*primary) : "", wishes.generation,
                         ""};
    document.tls.mode = instance.tls;
    document.tls.verify = wishes.verify;
    document.tls.min_version = wishes.min_version;
    document.tls.server_name = wishes.server_name;
    if (instance.tls == TlsMode::required) document.tls.ca_file = "ca.crt";
    document.auth.mode = wishes.auth == AuthChoice::none ? AuthMode::none : AuthMode::password;
    document.auth.username = wishes.username;
    if (document.auth.mode == AuthMode::password) {
        document.auth.username_file = "username";
        document.auth.password_file = "password";
    }
    document.proxy = wishes.proxy;
    return document;
}

}  // namespace cvp::providers::endpoints
