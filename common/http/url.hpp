#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace cvp::http {

/// Where a server is: scheme, host and port. IPv6 hosts are kept without brackets.
struct Origin {
    bool tls = false;
    std::string host;
    std::uint16_t port = 80;

    /// "https://host:443"; IPv6 in brackets. The port is always written.
    std::string to_string() const;
    /// "host:443"; IPv6 in brackets.
    std::string authority() const;
    /// Value of the Host header: port left out where it is the scheme's default.
    std::string host_header() const;

    bool operator==(const Origin&) const = default;
};

/// An origin and the path (with query) behind it.
struct Url {
    Origin origin;
    std::string target = "/";
};

/// Where a server of ours listens. An empty host means every address of the machine; port 0 any free port.
struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const ListenAddress&) const = default;
};

/// Parses "http[s]://host[:port][/path][?query]". No user info, no fragment.
/// @errors invalid_argument, saying what is wrong with it
Result<Url> parse_url(std::string_view text);

/// Parses "host[:port]" or "[v6][:port]".
/// @errors invalid_argument
Result<Origin> parse_authority(std::string_view text, std::uint16_t default_port, bool tls);

/// Parses ":port", "ip:port" or "[v6]:port"; the port must be there and the host must be an IP address or "localhost".
/// @errors invalid_argument
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace cvp::http
