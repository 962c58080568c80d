#include "common/log/log.hpp"

#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/log/limiter.hpp"

namespace cvp::log {
namespace {

struct Settings {
    Level level = Level::info;
    Format format = Format::json;
};

Settings settings;

/// Libraries bring threads of their own.
std::mutex limiter_mutex;
Limiter limiter;

/// @return as Limiter::pass(); who asks for debug wants everything
std::optional<std::uint64_t> pass(std::string_view sentence) {
    if (settings.level == Level::debug) return 0;
    const std::lock_guard lock(limiter_mutex);
    return limiter.pass(sentence, SteadyClock::now());
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
    }
    return "error";
}

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out.push_back(c);
                }
        }
    }
    out.push_back('"');
}

std::string render_json(std::string_view time, Level level, std::string_view sentence, Fields fields) {
    std::string out = "{\"time\":";
    append_json_string(out, time);
    out += ",\"level\":";
    append_json_string(out, name_of(level));
    out += ",\"msg\":";
    append_json_string(out, sentence);
    for (const auto& field : fields) {
        out.push_back(',');
        append_json_string(out, field.key);
        out.push_back(':');
        if (field.quoted) {
            append_json_string(out, field.value);
        } else {
            out += field.value;
        }
    }
    out.push_back('}');
    return out;
}

std::string render_text(std::string_view time, Level level, std::string_view sentence, Fields fields) {
    std::string out;
    out.append(time).append(" ").append(name_of(level)).append(" ").append(sentence);
    for (const auto& field : fields) {
        out.append(" ").append(field.key).append("=");
        const bool plain = field.value.find_first_of(" \"\n\r\t=") == std::string::npos && !field.value.empty();
        if (plain) {
            out += field.value;
        } else {
            append_json_string(out, field.value);
        }
    }
    return out;
}

std::string now_rfc3339() {
    const auto now = std::chrono::system_clock::now();
    const auto seconds = std::chrono::system_clock::to_time_t(now);
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char date[32];
    const auto length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    return fmt::format("{}.{:03}Z", std::string_view(date, length), millis);
}

spdlog::logger& logger() {
    static auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("cvp", std::make_shared<spdlog::sinks::stderr_sink_st>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::debug);
        made->flush_on(spdlog::level::debug);
        return made;
    }();
    return *instance;
}

}  // namespace

void configure(Level level, Format format) {
    settings = {level, format};
}

Result<Level> parse_level(std::string_view text) {
    for (const auto level : {Level::debug, Level::info, Level::warn, Level::error}) {
        if (text == name_of(level)) return level;
    }
    return fail(ErrorCode::invalid_argument, "must be debug, info, warn or error");
}

Result<Format> parse_format(std::string_view text) {
    if (text == "json") return Format::json;
    if (text == "text") return Format::text;
    return fail(ErrorCode::invalid_argument, "must be json or text");
}

bool enabled(Level level) {
    return level >= settings.level;
}

void write(Level level, std::string_view sentence, Fields fields) {
    if (!enabled(level)) return;
    const auto left_out = pass(sentence);
    if (!left_out) return;
    const auto line = [&](std::string_view text, Fields with) {
        logger().log(spdlog_level(level), render(settings.format, now_rfc3339(), level, text, with));
    };
    if (*left_out > 0)
        line("lines were left out because there were too many of them", {{"of", sentence}, {"lines", *left_out}});
    line(sentence, fields);
}

std::string render(Format format, std::string_view time, Level level, std::string_view sentence, Fields fields) {
    return format == Format::json ? render_json(time, level, sentence, fields)
                                  : render_text(time, level, sentence, fields);
}

}  // namespace cvp::log
