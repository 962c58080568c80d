#include "common/log/log.hpp"

#include <gtest/gtest.h>

#include "common/secret.hpp"

namespace cvp::log {
namespace {

constexpr auto kTime = "2026-11-20T12:00:00.123Z";

TEST(Log, json_keeps_types_and_escapes_text) {
    EXPECT_EQ(render(Format::json, kTime, Level::warn, "a sentence",
                     {{"text", "say \"hi\"\n\t\\"}, {"number", 42}, {"ratio", 0.5}, {"yes", true}, {"bell", "\x07"}}),
              R"({"time":"2026-11-20T12:00:00.123Z","level":"warn","msg":"a sentence",)"
              R"("text":"say \"hi\"\n\t\\","number":42,"ratio":0.500000,"yes":true,"bell":"\u0007"})");
}

TEST(Log, text_quotes_only_what_needs_it) {
    EXPECT_EQ(render(Format::text, kTime, Level::info, "a sentence",
                     {{"plain", "10.0.0.3:6379"}, {"spaced", "a b"}, {"empty", ""}, {"line", "a\nb"}}),
              R"(2026-11-20T12:00:00.123Z info a sentence plain=10.0.0.3:6379 spaced="a b" empty="" line="a\nb")");
}

TEST(Log, no_field_can_forge_a_line) {
    for (const auto format : {Format::json, Format::text}) {
        const auto line = render(format, kTime, Level::info, "s", {{"name", "x\r\n{\"level\":\"error\"}"}});
        EXPECT_EQ(line.find('\n'), std::string::npos);
        EXPECT_EQ(line.find('\r'), std::string::npos);
    }
}

TEST(Log, parses_levels_and_formats_and_names_the_choice) {
    EXPECT_EQ(parse_level("debug"), Level::debug);
    EXPECT_EQ(parse_level("error"), Level::error);
    EXPECT_EQ(parse_level("Info").error().context, "must be debug, info, warn or error");
    EXPECT_EQ(parse_format("text"), Format::text);
    EXPECT_EQ(parse_format("xml").error().context, "must be json or text");
}

TEST(Log, takes_no_secret) {
    static_assert(!std::is_constructible_v<Field, std::string_view, Secret>);
    static_assert(!std::is_convertible_v<Secret, std::string_view>);
}

TEST(Log, is_silent_below_its_level) {
    configure(Level::warn, Format::json);
    EXPECT_FALSE(enabled(Level::info));
    EXPECT_TRUE(enabled(Level::warn));
    testing::internal::CaptureStderr();
    info("quiet");
    warn("loud", {{"n", 1}});
    const auto written = testing::internal::GetCapturedStderr();
    configure(Level::info, Format::json);
    EXPECT_EQ(written.find("quiet"), std::string::npos);
    EXPECT_NE(written.find(R"("level":"warn","msg":"loud","n":1})"), std::string::npos);
}

}  // namespace
}  // namespace cvp::log
