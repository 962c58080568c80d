#include "tests/support/process.hpp"

extern "C" {  // glibc 2.36 forgot it in this header
#include <sys/pidfd.h>
}
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/read_file.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

ProcessOptions shell(std::string script) {
    ProcessOptions options;
    options.argv = {"sh", "-c", std::move(script)};
    return options;
}

/// Waits until no process has this id (a zombie counts as gone).
bool ends_within(pid_t pid, std::chrono::milliseconds timeout) {
    const int pidfd = ::pidfd_open(pid, 0);
    if (pidfd < 0) return errno == ESRCH;
    pollfd entry{pidfd, POLLIN, 0};
    const bool ended = ::poll(&entry, 1, static_cast<int>(timeout.count())) == 1;
    ::close(pidfd);
    return ended;
}

TEST(Process, reports_the_exit_code) {
    auto process = Process::start(shell("exit 3"));
    ASSERT_TRUE(process);
    EXPECT_EQ(process->wait(10s), 3);
    EXPECT_EQ(process->wait(0s), 3) << "asked again";
    EXPECT_FALSE(process->is_running());
}

TEST(Process, reports_a_signal_as_a_shell_does) {
    auto process = Process::start(shell("kill -USR1 $$; sleep 60"));
    ASSERT_TRUE(process);
    EXPECT_EQ(process->wait(10s), 128 + SIGUSR1);
}

TEST(Process, says_that_it_still_runs_at_the_deadline) {
    auto process = Process::start(shell("sleep 60"));
    ASSERT_TRUE(process);
    EXPECT_EQ(process->wait(20ms), std::nullopt);
    EXPECT_TRUE(process->is_running());
    EXPECT_EQ(process->kill(), 128 + SIGKILL);
}

TEST(Process, stops_by_sigterm_and_gives_it_time) {
    TempDir dir;
    auto options = shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done");
    options.log_file = dir.path() / "log";
    auto process = Process::start(options);
    ASSERT_TRUE(process);
    for (int i = 0; i < 1000 && read_file(options.log_file) != "up\n"; ++i)
        ASSERT_FALSE(process->wait(10ms));
    EXPECT_EQ(process->stop(10s), 7);
    EXPECT_EQ(read_file(options.log_file), "up\nbye\n");
}

TEST(Process, is_killed_when_it_ignores_sigterm) {
    TempDir dir;
    auto options = shell("trap '' TERM; echo up; while :; do sleep 0.01; done");
    options.log_file = dir.path() / "log";
    auto process = Process::start(options);
    ASSERT_TRUE(process);
    for (int i = 0; i < 1000 && read_file(options.log_file).empty(); ++i)
        ASSERT_FALSE(process->wait(10ms));
    EXPECT_EQ(process->stop(50ms), 128 + SIGKILL);
}

TEST(Process, ends_with_its_object_and_takes_its_group_along) {
    TempDir dir;
    auto options = shell("sleep 60 & echo $!; wait");
    options.log_file = dir.path() / "log";
    pid_t leader = 0;
    pid_t grandchild = 0;
    {
        auto process = Process::start(options);
        ASSERT_TRUE(process);
        leader = process->pid();
        for (int i = 0; i < 1000 && read_file(options.log_file).empty(); ++i)
            ASSERT_FALSE(process->wait(10ms));
        grandchild = static_cast<pid_t>(std::stol(read_file(options.log_file)));
    }
    EXPECT_EQ(::kill(leader, 0), -1) << "reaped";
    EXPECT_TRUE(ends_within(grandchild, 10s));
}

TEST(Process, dies_with_a_parent_that_had_no_time_to_say_goodbye) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        const auto process = Process::start(shell("exec sleep 60"));
        const pid_t pid = process ? process->pid() : 0;
        [[maybe_unused]] const auto written = ::write(pipe[1], &pid, sizeof pid);
        ::kill(::getpid(), SIGKILL);
    }
    pid_t child = 0;
    EXPECT_EQ(::read(pipe[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::waitpid(parent, nullptr, 0);
    ASSERT_GT(child, 0);
    EXPECT_TRUE(ends_within(child, 10s));
}

TEST(Process, moves_without_ending) {
    auto first = Process::start(shell("sleep 60"));
    ASSERT_TRUE(first);
    const pid_t pid = first->pid();
    Process second = std::move(*first);
    auto other = Process::start(shell("sleep 60"));
    ASSERT_TRUE(other);
    const pid_t replaced = other->pid();
    *other = std::move(second);
    EXPECT_EQ(::kill(replaced, 0), -1) << "what was assigned over has ended";
    EXPECT_EQ(other->pid(), pid);
    EXPECT_TRUE(other->is_running());
}

TEST(Process, inherits_no_descriptor) {
    const int leaked = ::fcntl(STDERR_FILENO, F_DUPFD, 100);  // without O_CLOEXEC
    ASSERT_GE(leaked, 100);
    const auto result = run_command(shell("ls /proc/$$/fd"));
    ::close(leaked);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->out.substr(0, 6), "0\n1\n2\n");
    EXPECT_EQ(result->out.find("\n" + std::to_string(leaked) + "\n"), std::string::npos) << result->out;
}

TEST(Process, names_a_program_that_is_not_there) {
    ProcessOptions options;
    options.argv = {"no-such-program-anywhere"};
    const auto process = Process::start(options);
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error(), (Error{ErrorCode::not_found, "no-such-program-anywhere: no such program on PATH"}));
    options.argv = {"/no/such/program"};
    EXPECT_EQ(Process::start(options).error().code, ErrorCode::not_found);
}

TEST(Process, names_a_directory_that_is_not_there) {
    auto options = shell("true");
    options.cwd = "/no/such/directory";
    const auto process = Process::start(options);
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(process.error().context.find("/no/such/directory: No such file"), std::string::npos)
        << process.error().context;
}

TEST(RunCommand, passes_input_environment_and_directory_and_returns_both_streams) {
    TempDir dir;
    auto options = shell("cat; pwd; echo \"$COLOUR $HOME\" >&2; exit 5");
    options.cwd = dir.path();
    options.env = {"COLOUR=red", "COLOUR=green"};
    const auto result = run_command(options, "typed\n");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 5);
    EXPECT_EQ(result->out, "typed\n" + dir.path().string() + "\n");
    EXPECT_EQ(result->err, std::string("green ") + std::getenv("HOME") + "\n");
}

TEST(RunCommand, can_start_from_an_empty_environment) {
    ProcessOptions options;
    options.argv = {"/usr/bin/env"};
    options.env = {"ONLY=this"};
    options.inherit_env = false;
    const auto result = run_command(options);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->out, "ONLY=this\n");
}

TEST(RunCommand, kills_at_the_deadline) {
    const auto result = run_command(shell("echo early; sleep 60"), {}, 200ms);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 128 + SIGKILL);
    EXPECT_EQ(result->out, "early\n");
}

TEST(TailOf, returns_the_last_lines) {
    TempDir dir;
    EXPECT_EQ(tail_of(dir.write("a", "1\n2\n3\n"), 2), "2\n3\n");
    EXPECT_EQ(tail_of(dir.write("b", "1\n2\n3"), 2), "2\n3");
    EXPECT_EQ(tail_of(dir.write("c", "1\n"), 2), "1\n");
    EXPECT_EQ(tail_of(dir.write("d", ""), 2), "");
    EXPECT_NE(tail_of(dir.path() / "absent", 2).find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace cvp::test
