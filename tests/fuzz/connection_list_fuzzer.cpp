// The grammar of the annotation cloudvalkey.dev/connections: whatever is accepted says the same when it is written out
// and read again, and whatever is refused is refused in printable, bounded words.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "common/contract/connection_spec.hpp"
#include "tests/fuzz/invariant.hpp"

namespace cvp::test {
namespace {

constexpr std::size_t kMaxMessage = 512;

void check_accepted(const std::vector<ConnectionSpec>& connections) {
    require(!connections.empty() && connections.size() <= kMaxConnections, "1 to 8 entries");
    std::set<std::string> names;
    std::set<unsigned> ports{names::kAdminPort};
    std::string text;
    for (const auto& connection : connections) {
        require(is_connection_name(connection.name), "every name is one");
        require(names.insert(connection.name).second, "no name stands twice");
        require(connection.port >= 1024, "no port needs a privilege");
        require(ports.insert(connection.port).second, "no port stands twice");
        if (connection.readers_port) require(ports.insert(*connection.readers_port).second, "nor does a readers' port");
        text += (text.empty() ? "" : " , ") + to_string(connection);
    }
    const auto again = parse_connection_list(text);
    require(again && *again == connections, "what is written out reads the same");
}

void check_refused(const SpecError& error) {
    require(!to_string(error.reason).empty(), "a refusal has a reason");
    require(!error.message.empty() && error.message.size() <= kMaxMessage, "its message is bounded");
    require(std::none_of(error.message.begin(), error.message.end(), [](char c) { return c >= 0 && c < ' '; }),
            "its message is printable");
}

}  // namespace
}  // namespace cvp::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = cvp::parse_connection_list(text);
    if (parsed) {
        cvp::test::check_accepted(*parsed);
    } else {
        cvp::test::check_refused(parsed.error());
    }
    return 0;
}
