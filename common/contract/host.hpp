#pragma once

#include <string_view>

namespace cvp {

/// Whether `text` is an IPv4 or IPv6 literal; without brackets, zone or port.
bool is_ip(std::string_view text);

/// Whether `text` is a DNS name of letters, digits, '-', '_' and '.', at most 253 characters, no label empty.
bool is_dns_name(std::string_view text);

/// Whether nobody but this machine can reach it: 127.0.0.0/8, ::1 or "localhost".
bool is_loopback(std::string_view host);

/// "ip:10.0.0.3" or "dns:name": what a certificate must say.
bool is_identity(std::string_view text);

}  // namespace cvp
