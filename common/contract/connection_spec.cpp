#include "common/contract/connection_spec.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "common/printable.hpp"

namespace cvp {
namespace {

constexpr unsigned kLowestPort = 1024;

tl::unexpected<SpecError> refuse(SpecReason reason, std::string message) {
    return tl::unexpected<SpecError>(SpecError{reason, std::move(message)});
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

SpecResult<std::uint16_t> parse_port(std::string_view text, std::string_view name, std::string_view which) {
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_number = ec == std::errc() && end == text.data() + text.size() && text.front() != '0';
    if (!is_number || value < kLowestPort || value > 65535) {
        return refuse(SpecReason::bad_port,
                      fmt::format("{} {} of connection {} must be a number from 1024 to 65535 without leading zeros",
                                  which, in_quotes(text), in_quotes(name)));
    }
    return static_cast<std::uint16_t>(value);
}

}  // namespace

std::string_view to_string(SpecReason reason) {
    switch (reason) {
        case SpecReason::empty:
            return "Empty";
        case SpecReason::bad_name:
            return "BadName";
        case SpecReason::bad_port:
            return "BadPort";
        case SpecReason::duplicate:
            return "Duplicate";
        case SpecReason::too_many:
            return "TooMany";
        case SpecReason::port_clash:
            return "PortClash";
    }
    return "Empty";
}

bool is_connection_name(std::string_view name) {
    const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && name.size() <= kMaxConnectionName && is_alphanumeric(name.front()) &&
           is_alphanumeric(name.back()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return c == '-' || is_alphanumeric(c); });
}

SpecResult<ConnectionSpec> parse_connection_spec(std::string_view entry, std::size_t position) {
    entry = trim(entry);
    if (entry.empty()) {
        return refuse(SpecReason::empty,
                      fmt::format("entry {} is empty; write the name of a ValkeyConnection, for example "
                                  "\"sessions\" or \"sessions:6379\"",
                                  position + 1));
    }
    const auto colon = entry.find(':');
    const auto name = entry.substr(0, colon);
    if (!is_connection_name(name)) {
        return refuse(SpecReason::bad_name,
                      fmt::format("{} is not the name of a ValkeyConnection: lower-case letters, digits and inner "
                                  "'-', at most {} characters",
                                  in_quotes(name), kMaxConnectionName));
    }
    ConnectionSpec connection{std::string(name), 0, std::nullopt};
    if (colon == std::string_view::npos) {
        connection.port = static_cast<std::uint16_t>(names::kFirstPort + names::kPortStep * static_cast<int>(position));
        return connection;
    }

    const auto ports = entry.substr(colon + 1);
    const auto slash = ports.find('/');
    const auto port = parse_port(ports.substr(0, slash), name, "port");
    if (!port) return tl::unexpected<SpecError>(port.error());
    connection.port = *port;
    if (slash == std::string_view::npos) return connection;

    const auto readers_port = parse_port(ports.substr(slash + 1), name, "readers' port");
    if (!readers_port) return tl::unexpected<SpecError>(readers_port.error());
    connection.readers_port = *readers_port;
    return connection;
}

std::optional<SpecError> find_clash(const std::vector<ConnectionSpec>& connections, std::uint16_t admin_port) {
    struct Taken {
        std::uint16_t port;
        std::string by;
    };
    std::vector<Taken> taken;
    if (admin_port != 0) taken.push_back({admin_port, "the proxy's admin port"});

    for (auto it = connections.begin(); it != connections.end(); ++it) {
        if (std::any_of(connections.begin(), it, [&](const auto& other) { return other.name == it->name; })) {
            return SpecError{SpecReason::duplicate,
                             fmt::format("connection \"{}\" stands twice; name each connection once", it->name)};
        }
        const auto take = [&](std::uint16_t port, std::string by) -> std::optional<SpecError> {
            const auto same = [&](const Taken& other) { return other.port == port; };
            if (const auto found = std::find_if(taken.begin(), taken.end(), same); found != taken.end()) {
                return SpecError{SpecReason::port_clash,
                                 fmt::format("port {} is wanted twice: it is {} and {}; give one of "
                                             "them another port, as in \"{}:PORT\"",
                                             port, found->by, by, it->name)};
            }
            taken.push_back({port, std::move(by)});
            return std::nullopt;
        };
        if (auto clash = take(it->port, fmt::format("the port of connection \"{}\"", it->name))) return clash;
        if (!it->readers_port) continue;
        auto clash = take(*it->readers_port, fmt::format("the readers' port of connection \"{}\"", it->name));
        if (clash) return clash;
    }
    return std::nullopt;
}

SpecResult<std::vector<ConnectionSpec>> parse_connection_list(std::string_view list, std::uint16_t admin_port) {
    if (trim(list).empty()) {
        return refuse(SpecReason::empty,
                      "no connection is named; write a list such as \"sessions\" or \"sessions, orders:6390/6391\"");
    }
    const auto count = static_cast<std::size_t>(std::count(list.begin(), list.end(), ',')) + 1;
    if (count > kMaxConnections) {
        return refuse(SpecReason::too_many,
                      fmt::format("{} connections are named; a pod may have at most {}", count, kMaxConnections));
    }
    std::vector<ConnectionSpec> connections;
    for (std::size_t begin = 0; begin <= list.size();) {
        const auto end = std::min(list.find(',', begin), list.size());
        auto connection = parse_connection_spec(list.substr(begin, end - begin), connections.size());
        if (!connection) return tl::unexpected<SpecError>(std::move(connection).error());
        connections.push_back(std::move(*connection));
        begin = end + 1;
    }
    if (auto clash = find_clash(connections, admin_port)) return tl::unexpected<SpecError>(std::move(*clash));
    return connections;
}

std::string to_string(const ConnectionSpec& connection) {
    auto text = fmt::format("{}:{}", connection.name, connection.port);
    if (connection.readers_port) text += fmt::format("/{}", *connection.readers_port);
    return text;
}

}  // namespace cvp
