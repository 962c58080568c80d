#include "common/config/settings.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace cvp {
namespace {

TEST(Settings, let_a_flag_win_over_its_variable) {
    const Flags flags = {{"log-level", {"debug", "warn"}}};
    const Environment environment = {{"CVP_LOG_LEVEL", "error"}, {"CVP_PORT", "1"}};
    Faults faults;
    const Settings settings(flags, environment, faults);
    EXPECT_EQ(settings.find("log-level")->value, "warn") << "the last one";
    EXPECT_EQ(settings.find("log-level")->origin, "--log-level");
    EXPECT_EQ(settings.find("port")->value, "1");
    EXPECT_EQ(settings.find("port")->origin, "CVP_PORT");
    EXPECT_FALSE(settings.find("absent"));
    EXPECT_EQ(settings.all_of_flag("log-level").size(), 2u);
}

TEST(Settings, take_an_empty_variable_for_none_and_an_empty_flag_for_a_fault) {
    const Flags flags = {{"port", {""}}};
    const Environment environment = {{"CVP_ADMIN_PORT", ""}};
    Faults faults;
    Settings settings(flags, environment, faults);
    std::uint16_t port = 7;
    settings.read("admin-port", port, parse_port);
    EXPECT_EQ(faults, Faults{});
    settings.read("port", port, parse_port);
    EXPECT_EQ(faults, Faults{"--port: needs a value"});
    EXPECT_EQ(port, 7) << "the default stays";
}

TEST(Settings, name_what_is_wrong) {
    const Flags flags = {{"port", {"70000"}}};
    const Environment environment = {{"CVP_OPEN", "maybe"}};
    Faults faults;
    Settings settings(flags, environment, faults);
    std::uint16_t port = 0;
    bool open = false;
    settings.read("port", port, parse_port);
    settings.read("open", open, parse_switch);
    EXPECT_EQ(faults, (Faults{"--port: \"70000\" must be a port from 1 to 65535",
                              "CVP_OPEN: \"maybe\" must be true or false"}));
}

TEST(ParseApiBase, sends_tokens_over_tls_or_not_beyond_this_machine) {
    EXPECT_EQ(parse_api_base("https://example.com")->host, "example.com");
    EXPECT_EQ(parse_api_base("http://127.0.0.1:80")->port, 80);
    EXPECT_FALSE(parse_api_base("http://example.com"));
    EXPECT_FALSE(parse_api_base("https://example.com/path"));
    EXPECT_FALSE(parse_api_base("example.com"));
}

TEST(LoadEnvironment, takes_ours_and_what_is_named) {
    ::setenv("CVP_TEST_SETTING", "a=b", 1);
    ::setenv("OTHER_TEST_SETTING", "x", 1);
    EXPECT_EQ(load_environment({}).at("CVP_TEST_SETTING"), "a=b");
    EXPECT_FALSE(load_environment({}).contains("OTHER_TEST_SETTING"));
    EXPECT_TRUE(load_environment({"OTHER_TEST_SETTING"}).contains("OTHER_TEST_SETTING"));
    ::unsetenv("CVP_TEST_SETTING");
    ::unsetenv("OTHER_TEST_SETTING");
}

}  // namespace
}  // namespace cvp
