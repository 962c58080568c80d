#include "common/rfc3339.hpp"

#include <array>
#include <charconv>

#include <fmt/core.h>

namespace cvp {
namespace {

using namespace std::chrono;

std::optional<unsigned> parse_digits(std::string_view text) {
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string format_rfc3339(system_clock::time_point moment) {
    const auto time = to_seconds(moment);
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

std::string format_rfc3339_micro(system_clock::time_point moment) {
    auto text = format_rfc3339(moment);
    text.pop_back();
    const auto fraction = duration_cast<microseconds>(moment - to_seconds(moment));
    return fmt::format("{}.{:06}Z", text, fraction.count());
}

std::optional<Seconds> parse_rfc3339(std::string_view text) {
    constexpr std::string_view kForm = "0000-00-00T00:00:00";
    if (text.size() < kForm.size() + 1 || text.back() != 'Z') return std::nullopt;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (kForm[i] == '0' ? !is_digit : text[i] != kForm[i]) return std::nullopt;
    }
    const auto fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1);
    if (!fraction.empty() && (fraction.size() < 2 || fraction.front() != '.' ||
                              fraction.find_first_not_of("0123456789", 1) != std::string_view::npos)) {
        return std::nullopt;
    }
    const auto part = [&](std::size_t at, std::size_t length) {
        return parse_digits(text.substr(at, length)).value_or(0);
    };
    const year_month_day date(year(static_cast<int>(part(0, 4))), month(part(5, 2)), day(part(8, 2)));
    const auto hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace cvp
