#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/contract/names.hpp"

namespace cvp {

/// One entry of the annotation `cloudvalkey.dev/connections`, and of the proxy's `--connection`. CONTRACT section 2.
struct ConnectionSpec {
    std::string name;                           ///< metadata.name of the ValkeyConnection
    std::uint16_t port = 0;                     ///< local port of the primary
    std::optional<std::uint16_t> readers_port;  ///< local port of the readers; opened only where written

    bool operator==(const ConnectionSpec&) const = default;
};

/// Why a list of connections is refused. The names are metric labels and part of the messages.
enum class SpecReason {
    empty,       ///< no entry, or an empty one
    bad_name,    ///< not a DNS label of at most 40 characters
    bad_port,    ///< not a number from 1024 to 65535 without leading zero
    duplicate,   ///< a name stands twice
    too_many,    ///< more than kMaxConnections entries
    port_clash,  ///< a local port is wanted twice, or is the admin port
};

/// "Empty", "BadName", "BadPort", "Duplicate", "TooMany", "PortClash".
std::string_view to_string(SpecReason reason);

/// A refusal: the class and one sentence that says what to write instead. It quotes user input in printable, bounded
/// form, so it may go to a log or an admission answer as it is.
struct SpecError {
    SpecReason reason = SpecReason::empty;
    std::string message;

    bool operator==(const SpecError&) const = default;
};

template <class T>
using SpecResult = tl::expected<T, SpecError>;

inline constexpr std::size_t kMaxConnections = 8;
inline constexpr std::size_t kMaxConnectionName = 40;

/// Whether `name` is a lower-case DNS label of at most 40 characters: the rule for a ValkeyConnection's metadata.name.
bool is_connection_name(std::string_view name);

/// Reads one entry, `name[":" port ["/" readers]]`, spaces round it allowed.
/// @param position its place in the list, from 0: the default port is 6379 + 10·position
SpecResult<ConnectionSpec> parse_connection_spec(std::string_view entry, std::size_t position);

/// Refuses duplicate names, and ports that are wanted twice or are `admin_port` (0: there is no admin port).
std::optional<SpecError> find_clash(const std::vector<ConnectionSpec>& connections,
                                    std::uint16_t admin_port = names::kAdminPort);

/// Reads the whole annotation, `entry *("," entry)`, 1 to 8 entries, and checks it with find_clash().
SpecResult<std::vector<ConnectionSpec>> parse_connection_list(std::string_view list,
                                                              std::uint16_t admin_port = names::kAdminPort);

/// "orders:6390/6391", "sessions:6379": what parse_connection_spec() reads back.
std::string to_string(const ConnectionSpec& connection);

}  // namespace cvp
