#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cvp {

/// A wall-clock time in whole seconds: what status fields and documents hold.
using Seconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

/// "2026-11-20T12:00:00Z": UTC, whole seconds, as Kubernetes writes times.
std::string format_rfc3339(std::chrono::system_clock::time_point time);

/// "2026-11-20T12:00:00.123456Z": as Kubernetes writes a MicroTime.
std::string format_rfc3339_micro(std::chrono::system_clock::time_point time);

/// Reads a UTC time, "2026-11-20T12:00:00Z"; a fraction of a second is cut off. Nothing where it is no such time.
std::optional<Seconds> parse_rfc3339(std::string_view text);

/// The time without its fraction of a second.
inline Seconds to_seconds(std::chrono::system_clock::time_point time) {
    return std::chrono::floor<std::chrono::seconds>(time);
}

}  // namespace cvp
