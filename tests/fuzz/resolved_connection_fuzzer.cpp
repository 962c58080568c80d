// A connection.yaml: whatever it is, it becomes a connection or faults in printable, bounded words, and a connection
// says the same when it is written out and read again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/contract/resolved_connection.hpp"
#include "common/yaml/parser.hpp"
#include "common/yaml/reader.hpp"
#include "tests/fuzz/invariant.hpp"

namespace cvp::test {
namespace {

constexpr std::size_t kMaxMessage = 512;

void check_words(const std::vector<Fault>& findings) {
    const auto is_printable = [](std::string_view text) {
        return std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
    };
    for (const auto& [path, message] : findings) {
        require(is_printable(path), "the path of what is wrong is printable");
        require(!message.empty() && message.size() <= kMaxMessage, "its message is bounded");
        require(is_printable(message), "its message is printable");
    }
}

void check_usable(const ResolvedConnection& connection) {
    const auto text = write_resolved_connection(connection);
    const auto again = parse_resolved_connection(text);
    require(again.faults.empty() && again.warnings.empty(), "what is written out is without fault");
    require(again.connection == connection, "what is written out reads the same");
}

/// What other documents have and this one has not: a switch, and what only some of them bound.
void check_other_types(std::string_view text) {
    auto document = yaml::parse(text);
    if (!document) return;
    yaml::Reader reader(std::move(*document));
    const auto root = reader.root();
    require(static_cast<bool>(root) == static_cast<bool>(reader.root()), "a root is one however often it is asked for");
    const auto value = root["proxy"];
    bool flag = false;
    const bool was_set = value.required().read(flag);
    require(was_set || !flag, "what is not read is left as it was");
    require(!(was_set && value.is_list()), "a list is no switch");
    require(value.items(2).size() <= 2, "a list is cut at its bound");
    check_words(reader.finish().faults);
}

}  // namespace
}  // namespace cvp::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cvp::test;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_other_types(text);
    const auto parsed = cvp::parse_resolved_connection(text);
    check_words(parsed.faults);
    check_words(parsed.warnings);
    if (parsed.faults.empty()) check_usable(parsed.connection);
    return 0;
}
