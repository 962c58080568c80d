#include "tests/support/podrun/container.hpp"

#include <csignal>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/async.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test::podrun {
namespace {

using namespace std::chrono_literals;

class ContainerTest : public testing::Test {
protected:
    ~ContainerTest() override { stop(); }

    void start(const std::string& script, std::optional<ExecProbe> probe = {}, std::chrono::seconds grace = 30s) {
        ContainerSpec spec;
        spec.name = "c";
        spec.argv = {"sh", "-c", script};
        spec.env = {"FROM_SPEC=1"};
        spec.startup_probe = std::move(probe);
        Container::Options options;
        options.extra_env = {"DIR=" + dir.path().string()};
        options.log_file = dir.path() / "log";
        options.grace = grace;
        container = std::make_unique<Container>(io, std::move(spec), std::move(options), [] {});
        ended = false;
        asio::co_spawn(io, container->run(), [this](std::exception_ptr) { ended = true; });
    }
    void stop() {
        if (!container) return;
        container->stop();
        EXPECT_TRUE(run_until(io, [this] { return ended; }));
    }
    template <class Condition>
    bool until(Condition condition) {
        return run_until(io, [&] { return condition(container->state()); });
    }
    std::string logged() {
        std::ifstream in(dir.path() / "log");
        return {std::istreambuf_iterator<char>(in), {}};
    }
    ExecProbe probe(const std::string& script, int failure_threshold) {
        return ExecProbe{{"sh", "-c", script}, 0s, 1s, 1s, failure_threshold};
    }

    TempDir dir;
    asio::io_context io;
    std::unique_ptr<Container> container;
    bool ended = true;
};

TEST(RestartDelay, is_nothing_at_first_then_doubles_to_10_s) {
    EXPECT_EQ(restart_delay(1), 0s);
    EXPECT_EQ(restart_delay(2), 1s);
    EXPECT_EQ(restart_delay(3), 2s);
    EXPECT_EQ(restart_delay(6), 10s);
    EXPECT_EQ(restart_delay(1000), 10s);
}

TEST_F(ContainerTest, is_started_at_once_without_a_probe) {
    start("echo $FROM_SPEC $HOME; sleep 60");
    ASSERT_TRUE(until([](const auto& state) { return state.is_running && state.is_started; }));
    EXPECT_GT(container->pid(), 0);
    EXPECT_EQ(container->state().restarts, 0);
    EXPECT_TRUE(until([this](const auto&) { return logged() == "1 /\n"; })) << logged();
    stop();
    EXPECT_EQ(container->pid(), -1);
    EXPECT_EQ(container->state().last_exit->code, 128 + SIGTERM);
    EXPECT_EQ(container->state().restarts, 0) << "a stop is no restart";
}

TEST_F(ContainerTest, is_started_when_its_probe_succeeds) {
    start("sleep 60", probe("test -e $DIR/up", 120));
    ASSERT_TRUE(until([](const auto& state) { return state.is_running; }));
    EXPECT_FALSE(container->state().is_started);
    dir.write("up", "");
    EXPECT_TRUE(until([](const auto& state) { return state.is_started; }));
}

TEST_F(ContainerTest, restarts_what_ends) {
    start("test -e $DIR/stay && exec sleep 60; exit 7");
    ASSERT_TRUE(until([](const auto& state) { return state.restarts >= 1; }));
    EXPECT_EQ(container->state().last_exit->code, 7);
    dir.write("stay", "");
    EXPECT_TRUE(until([](const auto& state) { return state.is_running && state.restarts <= 3; }));
}

TEST_F(ContainerTest, restarts_what_does_not_start_in_time) {
    start("trap 'exit 9' TERM; : >$DIR/trapped; while :; do sleep 0.01; done",
          probe("until test -e $DIR/trapped; do sleep 0.01; done; false", 1));
    ASSERT_TRUE(until([](const auto& state) { return state.restarts >= 1; }));
    EXPECT_EQ(container->state().last_exit->code, 9) << "it was told by SIGTERM";
}

TEST_F(ContainerTest, kills_a_probe_that_hangs) {
    start("sleep 60", probe("sleep 60", 1));
    EXPECT_TRUE(until([](const auto& state) { return state.restarts >= 1; }));
}

TEST_F(ContainerTest, kills_what_ignores_sigterm_after_the_grace_period) {
    start("trap '' TERM; echo up; while :; do sleep 0.01; done", {}, 1s);
    ASSERT_TRUE(until([this](const auto&) { return logged() == "up\n"; }));
    stop();
    EXPECT_EQ(container->state().last_exit->code, 128 + SIGKILL);
}

TEST_F(ContainerTest, says_why_it_cannot_start) {
    ContainerSpec spec;
    spec.name = "c";
    spec.argv = {"/no/such/program"};
    container = std::make_unique<Container>(io, std::move(spec), Container::Options(), [] {});
    ended = false;
    asio::co_spawn(io, container->run(), [this](std::exception_ptr) { ended = true; });
    ASSERT_TRUE(until([](const auto& state) { return state.restarts >= 1; }));
    EXPECT_EQ(container->state().waiting_reason, "RunContainerError");
    EXPECT_NE(container->state().waiting_message.find("/no/such/program"), std::string::npos);
}

}  // namespace
}  // namespace cvp::test::podrun
