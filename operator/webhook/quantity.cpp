#include "operator/webhook/quantity.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

namespace cvp::op {
namespace {

struct Suffix {
    std::string_view text;
    long double factor;  ///< exact in binary; of fractions the inverse is, see is_inverse
    bool is_inverse = false;
};

constexpr Suffix kSuffixes[] = {
    {"", 1},         {"n", 1e9L, true}, {"u", 1e6L, true}, {"m", 1e3L, true}, {"k", 1e3L},     {"M", 1e6L},
    {"G", 1e9L},     {"T", 1e12L},      {"P", 1e15L},      {"E", 1e18L},      {"Ki", 0x1p10L}, {"Mi", 0x1p20L},
    {"Gi", 0x1p30L}, {"Ti", 0x1p40L},   {"Pi", 0x1p50L},   {"Ei", 0x1p60L},
};

/// More digits than any quantity has: what is longer is not worth a look.
constexpr std::size_t kMaxDigits = 18;
constexpr int kMaxExponent = 18;

long double power_of_ten(int exponent) {
    long double power = 1;
    for (; exponent > 0; --exponent)
        power *= 10;
    return power;
}

long double scale(long double number, int exponent) {
    return exponent < 0 ? number / power_of_ten(-exponent) : number * power_of_ten(exponent);
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    Integer value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// "e3", "E-3".
std::optional<int> parse_exponent(std::string_view suffix) {
    if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
    suffix.remove_prefix(suffix[1] == '+' ? 2 : 1);
    const auto exponent = parse_integer<int>(suffix);
    if (!exponent || *exponent > kMaxExponent || *exponent < -kMaxExponent) return std::nullopt;
    return exponent;
}

}  // namespace

std::optional<long double> parse_quantity(std::string_view text) {
    const auto end_of_number = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = text.substr(0, end_of_number);
    const auto suffix = text.substr(end_of_number);
    const auto point = std::min(number.find('.'), number.size());
    const auto fraction = number.substr(std::min(point + 1, number.size()));
    const auto digits = parse_integer<std::uint64_t>(std::string(number.substr(0, point)).append(fraction));
    if (!digits || number.size() > kMaxDigits) return std::nullopt;

    const auto value = scale(static_cast<long double>(*digits), -static_cast<int>(fraction.size()));
    if (const auto exponent = parse_exponent(suffix)) return scale(value, *exponent);
    const auto* known =
        std::find_if(std::begin(kSuffixes), std::end(kSuffixes), [&](const Suffix& s) { return s.text == suffix; });
    if (known == std::end(kSuffixes)) return std::nullopt;
    return known->is_inverse ? value / known->factor : value * known->factor;
}

}  // namespace cvp::op
