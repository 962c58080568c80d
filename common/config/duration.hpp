#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace cvp {

/// Reads a duration as Kubernetes and Go write it: "10m", "1h30m", "1500ms", "0s". Units h, m, s, ms, largest first,
/// each at most once; whole numbers only; at most 10,000 h.
/// @errors invalid_argument, saying what a duration looks like
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Writes it in the same form: "1h30m", "1s500ms", "0s". Not for negative durations.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace cvp
