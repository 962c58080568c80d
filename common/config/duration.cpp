#include "common/config/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace cvp {
namespace {

using std::chrono::milliseconds;

struct Unit {
    std::string_view suffix;
    std::int64_t length_ms;
};

constexpr std::array kUnits{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::int64_t kLongestMs = 10'000 * kUnits[0].length_ms;

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
    const auto malformed = fail(ErrorCode::invalid_argument, "must be a duration such as 10s, 1500ms or 1h30m");
    if (text.empty()) return malformed;

    std::int64_t total_ms = 0;
    std::size_t next_unit = 0;
    while (!text.empty()) {
        std::int64_t count = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (ec != std::errc{} || count < 0 || text.front() == '-') return malformed;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));

        const auto suffix = text.substr(0, text.find_first_of("0123456789"));
        while (next_unit < kUnits.size() && kUnits[next_unit].suffix != suffix)
            ++next_unit;
        if (next_unit == kUnits.size()) return malformed;
        const auto length_ms = kUnits[next_unit++].length_ms;
        if (count > (kLongestMs - total_ms) / length_ms) {
            return fail(ErrorCode::invalid_argument, "must be a duration of at most 10000h");
        }
        total_ms += count * length_ms;
        text.remove_prefix(suffix.size());
    }
    return milliseconds(total_ms);
}

std::string format_duration(milliseconds duration) {
    auto rest_ms = duration.count();
    if (rest_ms == 0) return "0s";
    std::string text;
    for (const auto& unit : kUnits) {
        if (const auto count = rest_ms / unit.length_ms; count > 0)
            text.append(std::to_string(count)).append(unit.suffix);
        rest_ms %= unit.length_ms;
    }
    return text;
}

}  // namespace cvp
