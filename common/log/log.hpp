#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/result.hpp"

/// Structured logs: a fixed sentence plus fields, one JSON object (or one line of text) per call, on stderr.
///
/// error = a human must act; warn = degraded, healing itself; info = lifecycle; debug = per connection.
namespace cvp::log {

enum class Level { debug, info, warn, error };
enum class Format { json, text };

/// One field. Values are strings, numbers and booleans; a Secret does not convert, by design.
struct Field {
    Field(std::string_view k, std::string_view v) : key(k), value(v), quoted(true) {}
    Field(std::string_view k, const char* v) : Field(k, std::string_view(v)) {}
    Field(std::string_view k, const std::string& v) : Field(k, std::string_view(v)) {}
    template <class T>
    requires std::is_arithmetic_v<T> Field(std::string_view k, T v) : key(k), value(text_of(v)), quoted(false) {}

    std::string_view key;
    std::string value;  ///< text of the value, unescaped
    bool quoted;        ///< whether JSON puts it in quotes

private:
    static std::string text_of(bool v) { return v ? "true" : "false"; }
    template <class T>
    static std::string text_of(T v) {
        return std::to_string(v);
    }
};

using Fields = std::initializer_list<Field>;

/// Sets level and format of the process. Called once, before the first thread or coroutine.
void configure(Level level, Format format);

/// Parses "debug", "info", "warn", "error"; "json", "text".
/// @errors invalid_argument, naming the allowed words
Result<Level> parse_level(std::string_view text);
Result<Format> parse_format(std::string_view text);

bool enabled(Level level);
void write(Level level, std::string_view sentence, Fields fields);

inline void debug(std::string_view sentence, Fields fields = {}) {
    if (enabled(Level::debug)) write(Level::debug, sentence, fields);
}
inline void info(std::string_view sentence, Fields fields = {}) {
    write(Level::info, sentence, fields);
}
inline void warn(std::string_view sentence, Fields fields = {}) {
    write(Level::warn, sentence, fields);
}
inline void error(std::string_view sentence, Fields fields = {}) {
    write(Level::error, sentence, fields);
}

/// Renders one line without writing it; pure, for tests. `time` is RFC 3339 with milliseconds.
std::string render(Format format, std::string_view time, Level level, std::string_view sentence, Fields fields);

}  // namespace cvp::log
